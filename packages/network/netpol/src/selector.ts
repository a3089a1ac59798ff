import { expectObject, fail, field, isRecord, items, oneOf, show, text, type Node } from "./read.ts";

/**
 * A label selector (`metav1.LabelSelector`): every requirement must hold. None at all selects everything.
 * `NotIn` and `DoesNotExist` hold where the label is absent.
 */
export interface Selector {
  readonly requirements: readonly Requirement[];
  /** Equal for selectors that say the same. */
  readonly key: string;
}

interface Requirement {
  readonly label: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values: readonly string[];
}

export const everything: Selector = selector([]);

export function matches({ requirements }: Selector, label: (key: string) => string | undefined): boolean {
  for (const requirement of requirements) {
    if (!holds(requirement, label(requirement.label))) return false;
  }
  return true;
}

function holds({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

function selector(requirements: readonly Requirement[]): Selector {
  const sorted = requirements.map((item) => Object.freeze({ ...item, values: [...item.values].sort() }));
  const keyed = sorted.map((item) => [JSON.stringify([item.label, item.operator, item.values]), item] as const);
  keyed.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.freeze({
    requirements: Object.freeze(keyed.map(([, item]) => item)),
    key: keyed.map(([key]) => key).join(),
  });
}

/**
 * Reads a selector; absent and null are the empty one. `prefixes` are what may stand before a key (Cilium's `k8s:`).
 * What is wrong is reported, and what is left of the selector is returned.
 */
export function readSelector(node: Node | undefined, prefixes: RegExp = /^(?!)/): Selector {
  if (node === undefined || !expectObject(node, ["matchLabels", "matchExpressions"])) return everything;
  const requirements: Requirement[] = [];
  const labels = field(node, "matchLabels");
  if (labels !== undefined && !isRecord(labels.value)) fail(labels, "must be an object of label: value");
  if (labels !== undefined && isRecord(labels.value)) {
    for (const [label, value] of Object.entries(labels.value)) {
      const at = { ...labels, path: `${labels.path}[${JSON.stringify(label)}]` };
      checkKey(at, label.replace(prefixes, ""));
      if (typeof value !== "string") fail(at, `must be a string, not ${show(value)} (put it in quotes)`);
      else requirements.push({ label, operator: "In", values: [checkValue(at, value)] });
    }
  }
  for (const item of items(field(node, "matchExpressions"))) {
    const requirement = readExpression(item, prefixes);
    if (requirement) requirements.push(requirement);
  }
  return selector(requirements);
}

function readExpression(node: Node, prefixes: RegExp): Requirement | undefined {
  if (!expectObject(node, ["key", "operator", "values"])) return undefined;
  const label = text(field(node, "key"));
  const operator = oneOf(field(node, "operator"), ["In", "NotIn", "Exists", "DoesNotExist"]);
  if (label === undefined && field(node, "key") === undefined) fail(node, "needs a key");
  if (field(node, "operator") === undefined) fail(node, "needs an operator: In, NotIn, Exists or DoesNotExist");
  const list = field(node, "values");
  const values = items(list).flatMap((item) => {
    const value = text(item);
    return value === undefined ? [] : [checkValue(item, value)];
  });
  if (label === undefined || operator === undefined) return undefined;
  checkKey(node, label.replace(prefixes, ""));
  const set = operator === "In" || operator === "NotIn";
  if (set && values.length === 0) fail(list ?? node, `${operator} needs at least one value`);
  if (!set && list !== undefined && values.length > 0) fail(list, `${operator} takes no values`);
  return { label, operator, values };
}

const name = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const domain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** As `IsQualifiedName` of k8s.io/apimachinery/pkg/util/validation. */
function checkKey(node: Node, key: string): void {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const rest = key.slice(slash + 1);
  if (prefix !== undefined && (prefix.length > 253 || !domain.test(prefix))) fail(node, `${show(key)} is no label key`);
  else if (!name.test(rest)) fail(node, `${show(key)} is no label key`);
}

function checkValue(node: Node, value: string): string {
  if (value !== "" && !name.test(value)) fail(node, `${show(value)} is no label value`);
  return value;
}
