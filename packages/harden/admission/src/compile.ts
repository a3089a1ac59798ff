import { createHash } from "node:crypto";
import {
  CelError,
  compile,
  extendEnvironment,
  formatError,
  kubernetesEnvironment,
  objectType,
  type Environment,
  type Program,
  type Type,
} from "@bulwark/cel";
import { fieldOf, stringOf } from "@bulwark/manifests";
import { z } from "zod";
import { AdmissionError } from "./error.ts";
import { MutationTypes } from "./object-type.ts";
import {
  binding,
  mutatingPolicy,
  validatingPolicy,
  type Binding,
  type MatchResources,
  type MutatingPolicy,
  type Policy,
  type ValidatingPolicy,
} from "./policy.ts";
import type { Json } from "./request.ts";

/** A policy that is ready to be asked. */
export interface CompiledPolicy {
  readonly policy: Policy;
  readonly conditions: readonly (Part & { readonly name: string })[];
  /** By name. One may use those before it. */
  readonly variables: ReadonlyMap<string, Part>;
  /** Of a ValidatingAdmissionPolicy. */
  readonly validations: readonly {
    readonly validation: ValidatingPolicy["spec"]["validations"][number];
    readonly program: Program;
    readonly message: Program | undefined;
  }[];
  readonly annotations: readonly { readonly key: string; readonly program: Program }[];
  /** Of a MutatingAdmissionPolicy. */
  readonly mutations: readonly { readonly patchType: "JSONPatch" | "ApplyConfiguration"; readonly program: Program }[];
}

/** A variable or a condition. */
export interface Part {
  readonly program: Program;
  /** Undefined where it depends on more than the request. */
  readonly shared: Shared | undefined;
}

/** By what a part of a policy is the same in every policy that has it. */
interface Shared {
  /** Of the text and of all that it may name. */
  readonly key: string;
  /** Variables that it may name. */
  readonly after: ReadonlySet<string>;
}

/** What every expression of a policy may ask. https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/ */
const environment = kubernetesEnvironment({
  variables: {
    object: "dyn",
    oldObject: "dyn",
    request: "dyn",
    params: "dyn",
    namespaceObject: "dyn",
    authorizer: "kubernetes.authorization.Authorizer",
    "authorizer.requestResource": "kubernetes.authorization.ResourceCheck",
  },
});

const mutationEnvironment: Environment = { ...environment, messages: new MutationTypes(environment.messages) };

/** Reads a policy object and compiles its expressions. Raises `AdmissionError` `invalid`: policy, field, place, excerpt. */
export function compilePolicy(object: Json, source = ""): CompiledPolicy {
  const mutating = object["kind"] === "MutatingAdmissionPolicy";
  const policy = read(mutating ? mutatingPolicy : validatingPolicy, object, source);
  const { spec } = policy;
  spec.matchConstraints = sameOf(spec.matchConstraints);
  const at = place(object, source);
  const base = mutating ? mutationEnvironment : environment;
  const conditions = spec.matchConditions.map(({ name, expression }, index) => {
    const program = part(at, `spec.matchConditions[${index}].expression`, expression, base, "bool");
    return { name, program, shared: sharedBy(program, new Map(), policy.kind) };
  });
  const types: Record<string, Type> = {};
  const variables = new Map<string, Part>();
  for (const [index, { name, expression }] of spec.variables.entries()) {
    const program = part(at, `spec.variables[${index}].expression`, expression, withVariables(base, types));
    types[name] = program.type;
    variables.set(name, { program, shared: sharedBy(program, variables, policy.kind) });
  }
  const full = withVariables(base, types);
  const empty = { policy, conditions, variables, validations: [], annotations: [], mutations: [] };
  return policy.kind === "MutatingAdmissionPolicy"
    ? { ...empty, mutations: mutationsOf(policy, full, at) }
    : { ...empty, ...validationsOf(policy, full, at) };
}

/** Most policies are about the same objects: a request is held against constraints that are the same once. */
function sameOf(constraints: MatchResources): MatchResources {
  const text = JSON.stringify(constraints);
  const known = allConstraints.get(text);
  if (known) return known;
  if (allConstraints.size >= mostConstraints) allConstraints.clear();
  allConstraints.set(text, constraints);
  return constraints;
}
const allConstraints = new Map<string, MatchResources>();
const mostConstraints = 1000;

const ofRequest = new Set(["object", "oldObject", "request", "namespaceObject", "variables"]);

function sharedBy(program: Program, before: ReadonlyMap<string, Part>, kind: string): Shared | undefined {
  if (![...program.names].every((name) => ofRequest.has(name))) return undefined;
  const named = program.names.has("variables") ? [...before] : [];
  if (named.some(([, { shared }]) => shared === undefined)) return undefined;
  const text = JSON.stringify([kind, program.expression, ...named.map(([name, { shared }]) => [name, shared?.key])]);
  return {
    key: createHash("sha256").update(text).digest("base64"),
    after: new Set(named.map(([name]) => name)),
  };
}

/** Reads a binding. Raises `AdmissionError` `invalid`. */
export function readBinding(object: Json, source = ""): Binding {
  return read(binding, object, source);
}

function validationsOf(
  { spec }: ValidatingPolicy,
  known: Environment,
  at: string,
): Pick<CompiledPolicy, "validations" | "annotations"> {
  const validations = spec.validations.map((validation, index) => {
    const { expression, messageExpression } = validation;
    const field = `spec.validations[${index}]`;
    return {
      validation,
      program: part(at, `${field}.expression`, expression, known, "bool"),
      message:
        messageExpression === undefined
          ? undefined
          : part(at, `${field}.messageExpression`, messageExpression, known, "string"),
    };
  });
  const annotations = spec.auditAnnotations.map(({ key, valueExpression }, index) => ({
    key,
    program: part(at, `spec.auditAnnotations[${index}].valueExpression`, valueExpression, known),
  }));
  return { validations, annotations };
}

function mutationsOf({ spec }: MutatingPolicy, known: Environment, at: string): CompiledPolicy["mutations"] {
  return spec.mutations.map((mutation, index) => {
    const [field, expression] =
      mutation.patchType === "JSONPatch"
        ? ["jsonPatch", mutation.jsonPatch.expression]
        : ["applyConfiguration", mutation.applyConfiguration.expression];
    const program = part(at, `spec.mutations[${index}].${field}.expression`, expression, known);
    return { patchType: mutation.patchType, program };
  });
}

function withVariables(base: Environment, types: Readonly<Record<string, Type>>): Environment {
  return extendEnvironment(base, { variables: objectType("variables", { ...types }) });
}

function part(at: string, field: string, expression: string, known: Environment, wanted?: "bool" | "string"): Program {
  let program: Program;
  try {
    program = compile(expression, known);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    throw new AdmissionError("invalid", `${at}: ${field}: ${formatError(error, expression)}`, {
      remedy: "mend the expression",
      cause: error,
    });
  }
  const { kind, name } = program.type;
  if (wanted === undefined || kind === wanted || kind === "dyn") return program;
  throw new AdmissionError("invalid", `${at}: ${field}: must be a ${wanted}, and is a ${name}`, {
    remedy: "mend the expression",
  });
}

function read<T extends z.ZodType>(schema: T, object: Json, source: string): z.infer<T> {
  const parsed = schema.safeParse(object);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("") ?? "";
  throw new AdmissionError("invalid", `${place(object, source)}: ${field.slice(1)}: ${issue?.message ?? "wrong"}`, {
    remedy: "see kubectl explain, or the API reference of this kind",
  });
}

function place(object: Json, source: string): string {
  const name = `${stringOf(object["kind"])} ${stringOf(fieldOf(object, "metadata", "name"))}`;
  return source === "" ? name : `${source}: ${name}`;
}
