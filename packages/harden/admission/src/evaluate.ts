import { Authorizer, CelError, compile, kubernetesEnvironment, type Ask, type Program, type Value } from "@bulwark/cel";
import type { CompiledPolicy } from "./compile.ts";
import type { AdmissionRequest, Json } from "./request.ts";

/** What the expressions of one policy are asked about; `variables` are computed when they are asked for, once. */
export interface Evaluation {
  /** Raises a `CelError`. */
  run(program: Program): Value;
}

export interface Subject {
  readonly request: AdmissionRequest;
  readonly namespace: Json | null;
  readonly ask: Ask;
}

/** Cost that all expressions of one policy may have together, and those of its conditions (apis/cel/config.go). */
export const policyBudget = 10_000_000;
export const conditionBudget = 2_500_000;

const requestResource = compile(
  "authorizer.group(group).resource(resource).subresource(subresource).namespace(where).name(name)",
  kubernetesEnvironment({
    variables: {
      authorizer: "kubernetes.authorization.Authorizer",
      group: "string",
      resource: "string",
      subresource: "string",
      where: "string",
      name: "string",
    },
  }),
);

/** An evaluation of a policy, with a budget that its expressions share. */
export function evaluation(
  { variables }: Pick<CompiledPolicy, "variables">,
  { request, namespace, ask }: Subject,
  params: Json | null,
  budget: number,
): Evaluation {
  let left = budget;
  const computed: Record<string, unknown> = {};
  const authorizer = new Authorizer(ask);
  const names = {
    object: request.object,
    oldObject: request.oldObject,
    request: requestFields(request),
    params,
    namespaceObject: namespace,
    authorizer,
    get "authorizer.requestResource"() {
      const { group, resource } = request.resource;
      const { subResource: subresource, namespace: where, name } = request;
      return requestResource.evaluate({ authorizer, group, resource, subresource, where, name });
    },
    variables: computed,
  };
  function run(program: Program): Value {
    if (left <= 0) throw new CelError("cost", "the expressions of this policy cost more than is allowed together");
    return program.evaluate(names, {
      costLimit: Math.min(left, 1_000_000),
      spent: (cost) => (left -= cost),
    });
  }
  for (const { name, program } of variables) defineOnce(computed, name, () => run(program));
  return { run };
}

/** A failure is kept as well: a variable that fails fails for everyone. */
function defineOnce(target: Record<string, unknown>, name: string, compute: () => unknown): void {
  let outcome: { value: unknown } | { error: unknown } | undefined;
  Object.defineProperty(target, name, {
    enumerable: true,
    get() {
      if (!outcome) {
        try {
          outcome = { value: compute() };
        } catch (error) {
          outcome = { error };
        }
      }
      if ("error" in outcome) throw outcome.error;
      return outcome.value;
    },
  });
}

/** The fields of an AdmissionRequest that expressions see; not the objects, which have names of their own. */
function requestFields(request: AdmissionRequest): Json {
  const known = fieldsOf.get(request);
  if (known) return known;
  const { kind, resource, subResource, name, namespace, operation, userInfo, dryRun, options } = request;
  const fields = {
    kind,
    resource,
    subResource,
    requestKind: request.requestKind ?? kind,
    requestResource: request.requestResource ?? resource,
    requestSubResource: request.requestSubResource ?? subResource,
    name,
    namespace,
    operation,
    userInfo,
    dryRun,
    options,
  };
  fieldsOf.set(request, fields);
  return fields;
}
/** Many policies are asked about one request. */
const fieldsOf = new WeakMap<AdmissionRequest, Json>();
