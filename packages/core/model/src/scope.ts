import { z } from "zod";
import type { Container, ContainerRef } from "./container.ts";
import { matchesSelector, parseSelector, SelectorError } from "./selector.ts";

/** Letters as they are, `*` for any run of them. */
const pattern = z.string().min(1).max(256);
const patterns = z.array(pattern).max(100);

/** Which containers. What is empty asks for nothing; all empty is every container. */
export const ruleScope = z.strictObject({
  namespaces: patterns,
  /** Of the image's name. */
  images: patterns,
  /** Of the container, by its id or by its name; of a pod, by the name inside of it. */
  containers: patterns,
  /** Of the pod, else of the container; as of `kubectl -l`. */
  labels: z
    .string()
    .max(2048)
    .refine((text) => isSelector(text), "a selector as of kubectl -l"),
});
export type RuleScope = z.infer<typeof ruleScope>;

/** Whether a container is in a scope. A namespace or a pod's labels that are not known are in none. */
export function isInScope(scope: RuleScope, container: Container | ContainerRef): boolean {
  const { namespaces, images, containers, labels } = scope;
  const { pod, image, id, name } = container;
  if (namespaces.length > 0 && !(pod && namespaces.some((text) => matchesPattern(text, pod.namespace)))) return false;
  if (images.length > 0 && !images.some((text) => matchesPattern(text, image.name))) return false;
  const names = [id, name, ...(pod ? [pod.container] : [])];
  if (containers.length > 0 && !containers.some((text) => names.some((own) => matchesPattern(text, own)))) return false;
  if (labels.trim() === "") return true;
  const known = pod ? pod.metadata?.labels : container.labels;
  return known !== undefined && matchesSelector(known, parseSelector(labels));
}

/** `*` is any run of characters; in linear time for a number of stars that is bounded by the length. */
export function matchesPattern(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

function isSelector(text: string): boolean {
  try {
    if (text.trim() !== "") parseSelector(text);
    return true;
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}
