import {
  createAdmission,
  defaultBinding,
  type AdmissionRequest,
  type CompiledPolicy,
  type Json,
} from "@bulwark/admission";
import type { AccessAnswer, AccessQuestion, Ask } from "@bulwark/cel";
import { isRecord, recordOf, stringOf } from "@bulwark/manifests";
import type { PolicySetting } from "@bulwark/model";

/** What a policy is told by the cluster that the request comes from. */
export interface Surroundings {
  /** Of the request; null where it is in none, or it is not known. */
  readonly namespace: Json | null;
  paramsOf(kind: { apiVersion: string; kind: string }): readonly Json[];
  /** Of the request's user, unless the question names another one. */
  ask(question: AccessQuestion): Promise<AccessAnswer>;
}

export interface Finding {
  readonly message: string;
  /** Index of the validation or mutation; -1 where the policy could not be asked at all. */
  readonly rule: number;
  /** What its binding wants done at most. */
  readonly severity: "deny" | "warn" | "audit";
}

export interface Answer {
  readonly applies: boolean;
  readonly findings: readonly Finding[];
  /** After its mutations; the request's own where there were none. */
  readonly object: Json | null;
}

/** Which requests it is to be asked about, as a webhook's configuration says it. */
export type Constraints = CompiledPolicy["policy"]["spec"]["matchConstraints"];

/** One policy in force. */
export interface Guard {
  readonly name: string;
  readonly side: "validate" | "mutate";
  readonly setting: PolicySetting;
  /** It may have to ask others than the cluster, and is asked after those that need not. */
  readonly slow: boolean;
  readonly constraints: Constraints;
  /** Objects of these kinds are its parameters. */
  readonly paramKinds: readonly { apiVersion: string; kind: string }[];
  ask(request: AdmissionRequest, surroundings: Surroundings): Promise<Answer> | Answer;
}

/**
 * A ValidatingAdmissionPolicy or MutatingAdmissionPolicy with its bindings; without any it is bound to all that its
 * constraints take in. Raises `AdmissionError`.
 */
export function nativeGuard(compiled: CompiledPolicy, bindings: readonly Json[], setting: PolicySetting): Guard {
  const { policy } = compiled;
  const { kind, metadata, spec } = policy;
  const own = bindings.filter((one) => isBindingOf(one, kind, metadata.name));
  const objects = [policy, ...(own.length > 0 ? own : [defaultBinding(policy, parametersOnly)])];
  const admission = createAdmission(
    objects.map((object) => ({ object })),
    { namespaceOf: () => null, paramsOf: () => [] },
  );

  function once(request: AdmissionRequest, { namespace, paramsOf }: Surroundings, ask: Ask): Answer {
    const { asked, decisions, object } = admission.find(request, { namespaceOf: () => namespace, paramsOf, ask });
    if (decisions.length === 0) return { applies: asked.length > 0, findings: nothing, object };
    const findings = decisions.map(({ failure, actions }): Finding => {
      const severity = actions.includes("Deny") ? "deny" : actions.includes("Warn") ? "warn" : "audit";
      return { message: failure.message, rule: failure.validation, severity };
    });
    return { applies: true, findings, object };
  }

  return {
    name: metadata.name,
    side: kind === "MutatingAdmissionPolicy" ? "mutate" : "validate",
    setting,
    slow: false,
    constraints: spec.matchConstraints,
    paramKinds: spec.paramKind ? [spec.paramKind] : [],
    ask(request, surroundings) {
      // Most ask nothing.
      let answers: Questions | undefined;
      const first = once(request, surroundings, (question) => (answers ??= questions()).ask(question));
      return answers ? withAnswers(once.bind(null, request, surroundings, answers.ask), answers, surroundings) : first;
    },
  };
}

const nothing: readonly Finding[] = [];

/** Only what says that it is meant as parameters: a cluster has many config maps. */
const parametersOnly = { matchLabels: { "bulwark.dev/parameters": "true" } };

function isBindingOf(object: Json, kind: string, name: string): boolean {
  return object["kind"] === `${kind}Binding` && stringOf(recordOf(object["spec"])["policyName"]) === name;
}

/** Expressions ask at once, the cluster answers later: what is not known yet is noted, and the policy is asked again. */
interface Questions {
  ask(question: AccessQuestion): AccessAnswer;
  readonly open: Map<string, AccessQuestion>;
  readonly known: Map<string, AccessAnswer>;
}

function questions(): Questions {
  const open = new Map<string, AccessQuestion>();
  const known = new Map<string, AccessAnswer>();
  return {
    open,
    known,
    ask(question) {
      const key = JSON.stringify(question);
      const answer = known.get(key);
      if (answer) return answer;
      open.set(key, question);
      return { allowed: false, reason: "", error: "not asked yet" };
    },
  };
}

/** An answer may lead to another question; so often, and no more. */
const rounds = 8;
const mostQuestions = 32;

async function withAnswers(again: () => Answer, answers: Questions, { ask }: Surroundings): Promise<Answer> {
  let answer: Answer | undefined;
  for (let round = 0; answers.open.size > 0; round++) {
    if (round === rounds || answers.known.size + answers.open.size > mostQuestions) {
      throw new Error(
        `it asks the authorizer more than ${mostQuestions} questions, or more than ${rounds} times in turn`,
      );
    }
    const asked = [...answers.open];
    answers.open.clear();
    const replies = await Promise.all(asked.map(async ([, question]) => ask(question)));
    for (const [index, [key]] of asked.entries()) {
      const reply = replies[index];
      if (reply) answers.known.set(key, reply);
    }
    answer = again();
  }
  return answer ?? again();
}

/** Which objects of a document are policies that can be in force. */
export function isNativePolicy(object: unknown): object is Json {
  return (
    isRecord(object) && (object["kind"] === "ValidatingAdmissionPolicy" || object["kind"] === "MutatingAdmissionPolicy")
  );
}
