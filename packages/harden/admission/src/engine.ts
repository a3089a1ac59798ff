import type { Ask } from "@bulwark/cel";
import { labelsOf, recordOf, selectorMatches, stringOf } from "@bulwark/manifests";
import { compilePolicy, readBinding, type CompiledPolicy } from "./compile.ts";
import type { Subject } from "./evaluate.ts";
import { resourcesMatch } from "./match.ts";
import { memoryOf } from "./memory.ts";
import { mutate } from "./mutate.ts";
import type { Binding, MatchResources, ValidationAction } from "./policy.ts";
import type { AdmissionRequest, Json } from "./request.ts";
import { validate, type Failure } from "./validate.ts";

/** What one policy said of a request by one binding. */
export interface Decision {
  readonly kind: "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy";
  readonly policy: string;
  readonly binding: string;
  /** What is to be done about it. */
  readonly actions: readonly ValidationAction[];
  /** Name of the parameter object; empty where the policy takes none. */
  readonly params: string;
  readonly failure: Failure;
}

/** What the policies found in a request. */
interface Findings {
  /** By full key, as the audit log has them. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The object after the mutations; the given one where there were none. */
  readonly object: Json | null;
  /** Everything that did not hold, whatever is done about it. */
  readonly decisions: readonly Decision[];
  /** Policies that were asked. */
  readonly asked: readonly string[];
}

/** The whole answer to a request. */
export interface Review extends Findings {
  readonly allowed: boolean;
  /** As the API server would answer; null where it is let through. */
  readonly status: { readonly code: number; readonly reason: string; readonly message: string } | null;
  readonly warnings: readonly string[];
}

export interface AdmissionOptions {
  /** A namespace as an object; null where it is not known. */
  namespaceOf(name: string): Json | null;
  /** Objects of a kind that a policy takes as parameters. */
  paramsOf(kind: { apiVersion: string; kind: string }): readonly Json[];
  /** The cluster's authorizer; without one, questions to it are refused and errored. */
  ask?: Ask;
}

export interface Admission {
  readonly policies: readonly CompiledPolicy[];
  /** Policies that no binding names: they are in force nowhere. */
  readonly unbound: readonly string[];
  /** Only the mutating policies, in the order of their names; then only the validating ones, over the result. */
  review(request: AdmissionRequest): Review;
  /** The same without the words of the API server. */
  find(request: AdmissionRequest, options?: AdmissionOptions): Findings;
}

const noAuthorizer: Ask = () => ({ allowed: false, reason: "", error: "there is no cluster to ask" });

/**
 * Policies and their bindings, ready to be asked. `objects` are of any kind: those that are neither are passed over.
 * Raises `AdmissionError` for the first that is wrong; with `onError` those are told and left out.
 */
export function createAdmission(
  objects: readonly { object: Json; source?: string }[],
  options: AdmissionOptions,
  onError?: (error: unknown) => void,
): Admission {
  const policies = new Map<string, CompiledPolicy>();
  const bindings: Binding[] = [];
  for (const { object, source = "" } of objects) {
    try {
      const kind = stringOf(object["kind"]);
      if (kind === "ValidatingAdmissionPolicy" || kind === "MutatingAdmissionPolicy") {
        const compiled = compilePolicy(object, source);
        policies.set(key(kind, compiled.policy.metadata.name), compiled);
      } else if (kind === "ValidatingAdmissionPolicyBinding" || kind === "MutatingAdmissionPolicyBinding") {
        bindings.push(readBinding(object, source));
      }
    } catch (error) {
      if (!onError) throw error;
      onError(error);
    }
  }
  const pairs = bindings
    .flatMap((binding) => {
      const compiled = policies.get(key(binding.kind.replace(/Binding$/, ""), binding.spec.policyName));
      return compiled ? [{ compiled, binding }] : [];
    })
    .toSorted((a, b) => (a.compiled.policy.metadata.name < b.compiled.policy.metadata.name ? -1 : 1))
    .toSorted((a, b) => Number(isValidating(a)) - Number(isValidating(b)));
  const bound = new Set(pairs.map(({ compiled }) => compiled));
  const all = [...policies.values()];
  return {
    policies: all,
    unbound: all.filter((compiled) => !bound.has(compiled)).map(({ policy }) => policy.metadata.name),
    review: (request) => conclude(find(pairs, request, options)),
    find: (request, other = options) => find(pairs, request, other),
  };
}

function key(kind: string, name: string): string {
  return `${kind}/${name}`;
}

interface Pair {
  compiled: CompiledPolicy;
  binding: Binding;
}

function isValidating({ compiled }: Pair): boolean {
  return compiled.policy.kind === "ValidatingAdmissionPolicy";
}

/** Mutating policies in turn, each about what the one before has made; then the validating ones about the outcome. */
function find(pairs: readonly Pair[], request: AdmissionRequest, options: AdmissionOptions): Findings {
  const namespace = request.namespace === "" ? null : options.namespaceOf(request.namespace);
  const memory = memoryOf(request, namespace);
  const subject: Subject = { request, namespace, ask: options.ask ?? noAuthorizer, memory };
  let asked: string[] = [];
  const decisions: Decision[] = [];
  const annotations: Record<string, string> = {};
  let now = request.object;
  for (const pair of pairs) {
    const { policy } = pair.compiled;
    const { matchResources } = pair.binding.spec;
    if (!takes(policy.spec.matchConstraints, subject)) continue;
    if (matchResources && !takes(matchResources, subject)) continue;
    const { name } = policy.metadata;
    // Most ask one policy: a list that grows is larger. Bindings of one policy come one after the other.
    if (asked.length === 0) asked = [name];
    else if (asked.at(-1) !== name) asked.push(name);
    for (const params of paramsFor(pair, subject, options, decisions)) {
      if (policy.kind === "MutatingAdmissionPolicy") {
        const { object, failures } = mutate(pair.compiled, about(subject, now), params);
        for (const failure of failures) decisions.push(decision(pair, params, failure, refused));
        if (now !== null && failures.length === 0) now = object;
        continue;
      }
      const answer = validate(pair.compiled, about(subject, now), params);
      for (const failure of answer.failures) {
        // What could not be asked is refused, whatever the binding wants for what was found.
        const actions = failure.error && failure.validation < 0 ? refused : pair.binding.spec.validationActions;
        decisions.push(decision(pair, params, failure, actions));
      }
      for (const key in answer.annotations) annotations[`${name}/${key}`] = answer.annotations[key] ?? "";
    }
  }
  return { object: now, decisions, annotations, asked };
}

function takes(constraints: MatchResources, { request, namespace, memory }: Subject): boolean {
  const known = memory.taken.get(constraints);
  if (known !== undefined) return known;
  const taken = resourcesMatch(constraints, request, namespace);
  memory.taken.set(constraints, taken);
  return taken;
}

/** The same request where nothing has changed it. */
function about(subject: Subject, object: Json | null): Subject {
  const { request, namespace } = subject;
  if (object === request.object) return subject;
  const changed = { ...request, object };
  return { ...subject, request: changed, memory: memoryOf(changed, namespace) };
}

const refused: readonly ValidationAction[] = ["Deny"];

function decision(
  { compiled, binding }: Pair,
  params: Json | null,
  failure: Failure,
  actions: readonly ValidationAction[],
): Decision {
  return {
    kind: compiled.policy.kind,
    policy: compiled.policy.metadata.name,
    binding: binding.metadata.name,
    actions,
    params: params === null ? "" : stringOf(recordOf(params["metadata"])["name"]),
    failure,
  };
}

const none: readonly null[] = [null];

/** One evaluation for each parameter object; one without for a policy that takes none. */
function paramsFor(
  pair: Pair,
  { request }: Subject,
  options: AdmissionOptions,
  decisions: Decision[],
): readonly (Json | null)[] {
  const { paramKind, failurePolicy } = pair.compiled.policy.spec;
  const { paramRef } = pair.binding.spec;
  if (!paramKind || !paramRef) return none;
  const all = options.paramsOf(paramKind);
  const namespaced = all.some((one) => typeof recordOf(one["metadata"])["namespace"] === "string");
  const where = paramRef.namespace ?? (namespaced ? request.namespace : undefined);
  const found = all.filter((one) => {
    const metadata = recordOf(one["metadata"]);
    if (where !== undefined && metadata["namespace"] !== where) return false;
    return paramRef.name === undefined
      ? selectorMatches(paramRef.selector, labelsOf(one))
      : metadata["name"] === paramRef.name;
  });
  if (found.length > 0) return found;
  if (paramRef.parameterNotFoundAction !== "Deny" || failurePolicy === "Ignore") return [];
  const message = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction";
  decisions.push(decision(pair, null, { message, reason: "Invalid", validation: -1, error: true }, ["Deny"]));
  return [];
}

const codes = { Unauthorized: 401, Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 } as const;

function conclude(findings: Findings): Review {
  const { decisions } = findings;
  if (decisions.length === 0) return { ...findings, allowed: true, status: null, warnings: [] };
  const denied = decisions.find(({ actions }) => actions.includes("Deny"));
  const warnings = decisions
    .filter(({ actions }) => actions.includes("Warn"))
    .map(
      ({ policy, binding, failure }) =>
        `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${binding}': ${failure.message}`,
    );
  const status = denied
    ? {
        code: codes[denied.failure.reason],
        reason: denied.failure.reason,
        message: `${denied.kind} '${denied.policy}' with binding '${denied.binding}' denied request: ${denied.failure.message}`,
      }
    : null;
  const annotations = { ...findings.annotations, ...auditOf(decisions) };
  return { ...findings, allowed: denied === undefined, status, warnings, annotations };
}

function auditOf(decisions: readonly Decision[]): Record<string, string> {
  const audited = decisions.filter(({ actions }) => actions.includes("Audit"));
  if (audited.length === 0) return {};
  return {
    "validation.policy.admission.k8s.io/validation_failure": JSON.stringify(
      audited.map(({ policy, binding, actions, failure }) => ({
        message: failure.message,
        policy,
        binding,
        expressionIndex: failure.validation,
        validationActions: actions,
      })),
    ),
  };
}
