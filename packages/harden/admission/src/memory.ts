import type { MatchResources } from "./policy.ts";
import type { AdmissionRequest, Json } from "./request.ts";
import type { Outcome } from "./variables.ts";

/** What was worked out of a request for one policy, for those that are asked about it next. */
export interface Memory {
  /** Whether it is among what constraints take in. */
  readonly taken: Map<MatchResources, boolean>;
  /** Of variables and conditions that depend on nothing else, by what they are of. */
  readonly outcomes: Map<string, Outcome>;
  /** What expressions see of it. */
  fields: Json | undefined;
}

let last: { request: AdmissionRequest; namespace: Json | null; memory: Memory } | undefined;

/** Of one request: policies are asked about one after the other. */
export function memoryOf(request: AdmissionRequest, namespace: Json | null): Memory {
  if (last?.request === request && last.namespace === namespace) return last.memory;
  const memory = { taken: new Map(), outcomes: new Map(), fields: undefined };
  last = { request, namespace, memory };
  return memory;
}
