import { recordOf, recordsOf, stringOf } from "./fields.ts";

/**
 * Whether labels answer a LabelSelector (meta/v1). An empty selector answers to all, none (undefined) too: what that
 * means is for the caller to say. An operator that there is not answers to nothing.
 */
export function selectorMatches(selector: unknown, labels: Readonly<Record<string, unknown>>): boolean {
  const { matchLabels, matchExpressions } = recordOf(selector);
  const wanted = Object.entries(recordOf(matchLabels));
  if (!wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)) return false;
  return recordsOf(matchExpressions).every(({ key, operator, values }) => {
    const name = stringOf(key);
    const has = Object.hasOwn(labels, name);
    const listed = has && Array.isArray(values) && values.includes(labels[name]);
    if (operator === "In") return listed;
    // A label that is not there is in no list. https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
    if (operator === "NotIn") return !listed;
    return operator === "Exists" ? has : operator === "DoesNotExist" && !has;
  });
}

/** The labels of an object; none where it has none. */
export function labelsOf(object: unknown): Readonly<Record<string, unknown>> {
  return recordOf(recordOf(recordOf(object)["metadata"])["labels"]);
}
