import { readFileSync } from "node:fs";
import { join } from "node:path";
import { casesBeside, casesProblems, filesWithCases, isRecord, readTexts, verdictProblem } from "@bulwark/manifests";
import { severity, type Severity } from "@bulwark/model";
import { z } from "zod";
import { compilePolicy, type CompiledPolicy } from "./compile.ts";
import { createAdmission, type Admission, type AdmissionOptions, type Review } from "./engine.ts";
import { AdmissionError } from "./error.ts";
import { requestFor } from "./from-object.ts";
import { operations } from "./policy.ts";
import type { Json } from "./request.ts";

/** A policy of a folder, with what people are told about it. */
export interface LibraryPolicy {
  readonly name: string;
  readonly file: string;
  /** The folder that it lies in: `pod`, `image`. */
  readonly category: string;
  /** What holds where it passes. */
  readonly title: string;
  readonly severity: Severity;
  /** Why anybody should care. */
  readonly why: string;
  readonly remedy: string;
  /** The level of the Pod Security Standards that it is a part of: all parts of `restricted` together are that standard. */
  readonly podSecurity: string | undefined;
  /** Policies and bindings of the file, as they are applied to a cluster. */
  readonly objects: readonly Json[];
  readonly compiled: CompiledPolicy;
  /** The MutatingAdmissionPolicy of the file that mends what the policy finds, where that is safe. */
  readonly fix: CompiledPolicy | undefined;
}

const annotation = (name: string): string => `bulwark.dev/${name}`;
/** What cases give and expect: `NAME.cases.yaml` beside `NAME.yaml`. */
const caseDocument = z.strictObject({
  name: z.string().min(1).max(256),
  object: z.record(z.string(), z.unknown()),
  oldObject: z.record(z.string(), z.unknown()).optional(),
  operation: z.enum(operations).default("CREATE"),
  /** `exec` of `pods/exec`. */
  subResource: z.string().max(64).optional(),
  /** Labels of the object's namespace. */
  namespace: z.record(z.string(), z.string()).optional(),
  params: z.record(z.string(), z.unknown()).optional(),
  expect: z.enum(["allow", "deny"]),
  /** A part of the message of a denial. */
  message: z.string().optional(),
  /** False: the policy's fix does not mend this one. */
  fixed: z.boolean().default(true),
});
export type PolicyCase = z.infer<typeof caseDocument>;

/**
 * The policies of a folder and its folders: one file each, its cases beside it. Raises `AdmissionError` with file, line and
 * excerpt for the first that is wrong; with `onError` those are told and left out.
 */
export function loadLibrary(folder: string, onError?: (error: unknown) => void): LibraryPolicy[] {
  const files = filesWithCases(folder);
  if (files.length === 0) {
    throw new AdmissionError("unreadable", `${folder}: no policy in it`, { remedy: "name a folder with YAML files" });
  }
  return files.flatMap((file) => {
    try {
      return policiesOf(folder, file);
    } catch (error) {
      if (!onError) throw error;
      onError(error);
      return [];
    }
  });
}

function policiesOf(folder: string, file: string): LibraryPolicy[] {
  const path = join(folder, file);
  const category = file.includes("/") ? (file.split("/")[0] ?? "") : "";
  return readPolicies(path, readFileSync(path, "utf8"), category).filter(
    ({ compiled }) => compiled.policy.kind === "ValidatingAdmissionPolicy",
  );
}

/**
 * The policies of a YAML text; a MutatingAdmissionPolicy with the name of a validating one is its fix. `file` is for
 * messages. Raises `AdmissionError` with line and excerpt for the first that is wrong.
 */
export function readPolicies(file: string, text: string, category = ""): LibraryPolicy[] {
  const { objects, problems, others } = readTexts([{ name: file, text }]);
  const [problem] = [...problems, ...others];
  if (problem) {
    throw new AdmissionError("unreadable", `${problem.file}:${problem.line}: ${problem.reason}`, {
      remedy: problem.remedy,
    });
  }
  const all = objects.map(({ object }) => object);
  const names = new Set(all.filter(({ kind }) => kind === "ValidatingAdmissionPolicy").map(nameOf));
  return objects
    .filter(
      ({ object }) =>
        object.kind === "ValidatingAdmissionPolicy" ||
        (object.kind === "MutatingAdmissionPolicy" && !names.has(nameOf(object))),
    )
    .map(({ object, place }) => {
      const compiled = compilePolicy(object, `${file}:${place.line}`);
      const { name, annotations = {} } = compiled.policy.metadata;
      const level = severity.safeParse(annotations[annotation("severity")]);
      const fix =
        object.kind === "ValidatingAdmissionPolicy" &&
        all.find((one) => one.kind === "MutatingAdmissionPolicy" && nameOf(one) === name);
      return {
        name,
        file,
        category,
        title: annotations[annotation("title")] ?? name,
        severity: level.success ? level.data : "medium",
        why: annotations[annotation("why")] ?? "",
        remedy: annotations[annotation("remedy")] ?? "",
        podSecurity: annotations[annotation("pod-security")],
        objects: all,
        compiled,
        fix: fix ? compilePolicy(fix, file) : undefined,
      };
    });
}

function nameOf(object: Json): string {
  const { metadata } = object;
  return isRecord(metadata) ? String(metadata["name"]) : "";
}

/** The cases beside a policy; none where there is no file. Raises `AdmissionError`. */
export function casesOf({ file }: Pick<LibraryPolicy, "file">): PolicyCase[] {
  return casesBeside(file, z.array(caseDocument).max(200), (text, cause) => {
    const remedy = "a case has name, object and expect";
    return new AdmissionError("invalid", text, { remedy, cause });
  });
}

/** All policies of a library in force, each found by its own name, and their fixes apart. */
export function admissionOf(policies: readonly LibraryPolicy[], options: AdmissionOptions): Admission {
  const objects = policies.flatMap(({ compiled: { policy } }) => [
    { object: policy },
    { object: defaultBinding(policy) },
  ]);
  return createAdmission(objects, options);
}

/** Binds a policy to everything that its constraints take in, with the parameters that `selector` chooses. */
export function defaultBinding({ kind, metadata, spec }: CompiledPolicy["policy"], selector: Json = {}): Json {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: `${kind}Binding`,
    metadata: { name: metadata.name },
    spec: {
      policyName: metadata.name,
      ...(spec.paramKind && { paramRef: { selector, parameterNotFoundAction: "Allow" } }),
      ...(kind === "ValidatingAdmissionPolicy" && { validationActions: ["Deny"] }),
    },
  };
}

/** The object as the policy's fix leaves it; the same object where there is none, or it changes nothing. */
export function fixed({ fix }: Pick<LibraryPolicy, "fix">, object: Json, options: AdmissionOptions): Json {
  if (!fix) return object;
  const admission = createAdmission([{ object: fix.policy }, { object: defaultBinding(fix.policy) }], options);
  return admission.review(requestFor(object)).object ?? object;
}

/** Runs the cases of a policy. One line for each that does not hold, and where there is no case of each kind. */
export async function caseProblems(policy: LibraryPolicy): Promise<string[]> {
  return casesProblems(policy.name, casesOf(policy), (item) => caseProblem(policy, item));
}

function caseProblem(policy: LibraryPolicy, item: PolicyCase): string[] {
  const options: AdmissionOptions = {
    namespaceOf: (name) => ({ metadata: { name, labels: { "kubernetes.io/metadata.name": name, ...item.namespace } } }),
    paramsOf: () => (item.params ? [item.params] : []),
  };
  const ask = (object: Json): Review => {
    const { operation, oldObject, subResource } = item;
    const request = requestFor(object, { operation, oldObject: oldObject ?? null });
    return admissionOf([policy], options).review(subResource === undefined ? request : { ...request, subResource });
  };
  const { allowed, asked, decisions } = ask(item.object);
  const messages = decisions.map(({ failure }) => failure.message);
  if (asked.length === 0 && item.expect === "deny") return ["the policy is not about this object"];
  if (item.expect === "deny" && decisions.some(({ failure }) => failure.error)) {
    return [`is denied by an error: ${messages.join("; ")}`];
  }
  const problem = verdictProblem(item, allowed, messages);
  if (problem !== undefined) return [problem];
  if (item.expect === "allow" || !policy.fix || !item.fixed) return [];
  const mended = ask(fixed(policy, item.object, options));
  return mended.allowed ? [] : [`the fix does not mend it: ${mended.decisions[0]?.failure.message ?? ""}`];
}
