import { Authorizer, compile, kubernetesEnvironment, type Ask, type Program, type Value } from "@bulwark/cel";
import type { CompiledPolicy, Part } from "./compile.ts";
import type { AdmissionRequest, Json } from "./request.ts";
import type { Memory } from "./memory.ts";
import { Budget, Variables } from "./variables.ts";

/** What the expressions of one policy are asked about; `variables` are computed when they are asked for, once. */
export interface Evaluation {
  /** Raises a `CelError`. */
  run(program: Program): Value;
  /** The same, remembered for the policies that have the same condition. */
  holds(condition: Part): Value;
}

export interface Subject {
  readonly request: AdmissionRequest;
  readonly namespace: Json | null;
  readonly ask: Ask;
  readonly memory: Memory;
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
  variables: CompiledPolicy["variables"],
  subject: Subject,
  params: Json | null,
  budget: number,
): Evaluation {
  return new PolicyEvaluation(variables, subject, params, new Budget(budget));
}

class PolicyEvaluation implements Evaluation {
  readonly #subject: Subject;
  readonly #params: Json | null;
  readonly #budget: Budget;
  readonly #variables: Variables;
  #names: Names | undefined;

  constructor(variables: CompiledPolicy["variables"], subject: Subject, params: Json | null, budget: Budget) {
    this.#subject = subject;
    this.#params = params;
    this.#budget = budget;
    this.#variables = new Variables(variables, subject, budget, this);
  }
  names(): Names {
    return (this.#names ??= new Names(this.#subject, this.#params, this.#variables));
  }
  run(program: Program): Value {
    return this.#budget.run(program, this.names());
  }
  holds(condition: Part): Value {
    return this.#variables.evaluate(condition);
  }
}

/** What the expressions of a policy may name. A class, because what is computed has to be a getter of all of them. */
class Names implements Readonly<Record<string, unknown>> {
  readonly [name: string]: unknown;
  readonly object: Json | null;
  readonly oldObject: Json | null;
  readonly request: Json;
  readonly params: Json | null;
  readonly namespaceObject: Json | null;
  readonly variables: Value;
  readonly #request: AdmissionRequest;
  readonly #ask: Ask;

  constructor({ request, namespace, ask, memory }: Subject, params: Json | null, variables: Value) {
    this.object = request.object;
    this.oldObject = request.oldObject;
    this.request = memory.fields ??= requestFields(request);
    this.params = params;
    this.namespaceObject = namespace;
    this.#ask = ask;
    this.variables = variables;
    this.#request = request;
  }
  get authorizer(): Authorizer {
    return new Authorizer(this.#ask);
  }
  get "authorizer.requestResource"(): Value {
    const { resource, subResource: subresource, namespace: where, name } = this.#request;
    const { group, resource: plural } = resource;
    return requestResource.evaluate({ authorizer: this.authorizer, group, resource: plural, subresource, where, name });
  }
}

/** The fields of an AdmissionRequest that expressions see; not the objects, which have names of their own. */
function requestFields(request: AdmissionRequest): Json {
  const { kind, resource, subResource, name, namespace, operation, userInfo, dryRun, options } = request;
  return {
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
}
