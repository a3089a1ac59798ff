import { toJson } from "@bulwark/cel";
import { isRecord } from "@bulwark/manifests";
import { errorText } from "@bulwark/model";
import { applyConfiguration } from "./apply-configuration.ts";
import type { CompiledPolicy } from "./compile.ts";
import { evaluation, policyBudget, type Subject } from "./evaluate.ts";
import { applyPatch, readPatch } from "./json-patch.ts";
import { memoryOf } from "./memory.ts";
import type { Json } from "./request.ts";
import { conditionsHold, type Failure } from "./validate.ts";

export interface Mutation {
  /** What it became; the same object where nothing was changed. */
  readonly object: Json;
  readonly failures: readonly Failure[];
}

/**
 * Lets a MutatingAdmissionPolicy change the object of a request. Each mutation sees what the ones before it have made.
 * One that fails leaves the object as it was, and refuses the request unless the policy's failurePolicy is Ignore.
 */
export function mutate(compiled: CompiledPolicy, subject: Subject, params: Json | null): Mutation {
  const { object } = subject.request;
  const { failurePolicy } = compiled.policy.spec;
  if (object === null) return { object: {}, failures: [] };
  const conditions = conditionsHold(compiled, subject, params);
  if (conditions === false) return { object, failures: [] };
  const refuse = (message: string, validation: number): Mutation => ({
    object,
    failures: failurePolicy === "Ignore" ? [] : [{ message, reason: "Invalid", validation, error: true }],
  });
  if (conditions !== true) return refuse(conditions, -1);
  let now = object;
  for (const [index, { patchType, program }] of compiled.mutations.entries()) {
    try {
      const request = { ...subject.request, object: now };
      const next = { ...subject, request, memory: memoryOf(request, subject.namespace) };
      const value = toJson(evaluation(compiled.variables, next, params, policyBudget).run(program));
      now = patchType === "JSONPatch" ? applyPatch(now, readPatch(value)) : applied(now, value);
    } catch (error) {
      return refuse(`expression '${program.expression}' resulted in error: ${errorText(error)}`, index);
    }
  }
  return { object: now, failures: [] };
}

function applied(object: Json, configuration: unknown): Json {
  if (!isRecord(configuration)) throw new Error("must be an Object");
  for (const field of ["apiVersion", "kind"]) {
    if (configuration[field] !== undefined && configuration[field] !== object[field])
      throw new Error(`must not change ${field}`);
  }
  return applyConfiguration(object, configuration);
}
