import { labelsOf, selectorMatches } from "@bulwark/manifests";
import type { MatchResources, ResourceRule } from "./policy.ts";
import type { AdmissionRequest, Json } from "./request.ts";

/**
 * Whether a policy's constraints, or a binding's, take the request in. As plugin/policy/matching of the API server: rules
 * first, then what is excluded, then the selectors.
 */
export function resourcesMatch(
  { resourceRules, excludeResourceRules, namespaceSelector, objectSelector, matchPolicy }: MatchResources,
  request: AdmissionRequest,
  namespace: Json | null,
): boolean {
  const exact = matchPolicy === "Exact";
  // A binding without rules takes what its policy takes.
  if (resourceRules !== undefined && resourceRules.length > 0 && !anyMatches(resourceRules, request, exact)) {
    return false;
  }
  if (excludeResourceRules && anyMatches(excludeResourceRules, request, exact)) return false;
  return namespaceMatches(namespaceSelector, request, namespace) && objectMatches(objectSelector, request);
}

function anyMatches(rules: readonly ResourceRule[], request: AdmissionRequest, exact: boolean): boolean {
  for (const rule of rules) if (ruleMatches(rule, request, exact)) return true;
  return false;
}

/** `exact`: only what the caller asked for itself; else also what the API server has made of it. */
function ruleMatches(rule: ResourceRule, request: AdmissionRequest, exact: boolean): boolean {
  const { group, version, resource } = exact ? (request.requestResource ?? request.resource) : request.resource;
  if (!has(rule.apiGroups, group) || !has(rule.apiVersions, version)) return false;
  if (!has(rule.operations, request.operation)) return false;
  if (!namesResource(rule.resources, resource, request.subResource)) return false;
  if (rule.resourceNames && rule.resourceNames.length > 0 && !rule.resourceNames.includes(request.name)) return false;
  if (rule.scope === undefined || rule.scope === "*") return true;
  // A Namespace carries its own name as the namespace of the request, and is in none all the same.
  const namespaced = request.namespace !== "" && !isNamespace(request);
  return (rule.scope === "Namespaced") === namespaced;
}

function has(list: readonly string[], value: string): boolean {
  for (const one of list) if (one === value || one === "*") return true;
  return false;
}

function namesResource(patterns: readonly string[], resource: string, subResource: string): boolean {
  for (const pattern of patterns) {
    if (pattern === resource ? subResource === "" : resourceMatches(pattern, resource, subResource)) return true;
  }
  return false;
}

/** `pods`, `pods/*`, `*`, `*` with a subresource, and a star twice. */
function resourceMatches(pattern: string, resource: string, subResource: string): boolean {
  const slash = pattern.indexOf("/");
  const name = slash < 0 ? pattern : pattern.slice(0, slash);
  const sub = slash < 0 ? "" : pattern.slice(slash + 1);
  return (name === "*" || name === resource) && (sub === "*" || sub === subResource);
}

function isNamespace({ resource }: AdmissionRequest): boolean {
  return resource.group === "" && resource.resource === "namespaces";
}

/** What is in no namespace is always taken; a Namespace by its own labels. */
function namespaceMatches(selector: unknown, request: AdmissionRequest, namespace: Json | null): boolean {
  if (selector === undefined) return true;
  if (isNamespace(request)) return selectorMatches(selector, labelsOf(request.object ?? request.oldObject));
  if (request.namespace === "") return true;
  return selectorMatches(selector, labelsOf(namespace));
}

/** Taken when the new object or the old one answers to it. */
function objectMatches(selector: unknown, { object, oldObject }: AdmissionRequest): boolean {
  if (selector === undefined) return true;
  return [object, oldObject].some((one) => one !== null && selectorMatches(selector, labelsOf(one)));
}
