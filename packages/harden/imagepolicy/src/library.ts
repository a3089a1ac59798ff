import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { casesBeside, casesProblems, filesWithCases, readTexts, verdictProblem } from "@bulwark/manifests";
import { errorText, severity, type Severity } from "@bulwark/model";
import { z } from "zod";
import { ImagePolicyError } from "./error.ts";
import { notScanned, weakness, type ImageSource, type ScanFacts } from "./facts.ts";
import { readImagePolicy, type ImagePolicy } from "./policy.ts";
import { createImageJudge } from "./verdict.ts";

/** An ImagePolicy of a file. */
export interface ImagePolicyFile {
  readonly policy: ImagePolicy;
  readonly file: string;
}

/**
 * The ImagePolicies of a file, or of all YAML files of a folder and its folders; what else is in them is passed over.
 * Raises `ImagePolicyError` with file and line for the first that is wrong; with `onError` those are told and left out.
 */
export function loadImagePolicies(path: string, onError?: (error: unknown) => void): ImagePolicyFile[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) {
    throw new ImagePolicyError("unreadable", `${path}: there is no such file or folder`, {
      remedy: "name a file with an ImagePolicy, or a folder of them",
    });
  }
  const files = stat.isDirectory() ? filesWithCases(path).map((file) => join(path, file)) : [path];
  return files.flatMap((file) => {
    try {
      return policiesOf(file);
    } catch (error) {
      if (!onError) throw error;
      onError(error);
      return [];
    }
  });
}

function policiesOf(file: string): ImagePolicyFile[] {
  const text = readFileSync(file, "utf8");
  const { objects, problems } = readTexts([{ name: file, text }]);
  const [problem] = problems;
  // Others say so of files that have nothing to do with images.
  if (problem && /^kind:\s*["']?ImagePolicy\b/m.test(text)) {
    throw new ImagePolicyError("unreadable", `${problem.file}:${problem.line}: ${problem.reason}`, {
      remedy: problem.remedy,
    });
  }
  return objects
    .filter(({ object }) => object.kind === "ImagePolicy")
    .map(({ object, place }) => ({ policy: readImagePolicy(object, `${file}:${place.line}`), file }));
}

/** What people are told of a policy, which it says in its annotations. */
export function aboutOf({ name, annotations }: ImagePolicy): {
  name: string;
  title: string;
  severity: Severity;
  why: string;
  remedy: string;
} {
  const said = (word: string): string => annotations[`bulwark.dev/${word}`] ?? "";
  const level = severity.safeParse(said("severity"));
  return {
    ...{ name, title: said("title") || name, severity: level.success ? level.data : "medium" },
    ...{ why: said("why"), remedy: said("remedy") },
  };
}

/** What cases give and expect: `NAME.cases.yaml` beside `NAME.yaml`. */
const caseDocument = z.strictObject({
  name: z.string().min(1).max(256),
  image: z.string().min(1).max(1024),
  expect: z.enum(["allow", "deny"]),
  /** A part of a message of a denial. */
  message: z.string().optional(),
  /** What is known of the image; what is left out is not there. */
  facts: z
    .strictObject({
      digest: z.string().optional(),
      /** Seconds since it was made. */
      age: z.number().min(0).optional(),
      /** As in the image: `User`, `Labels`, … */
      config: z.record(z.string(), z.unknown()).default({}),
      signatures: z.array(z.strictObject({ authority: z.string() })).default([]),
      attestations: z
        .array(
          z.strictObject({
            authority: z.string(),
            predicateType: z.string(),
            predicate: z.record(z.string(), z.unknown()).default({}),
          }),
        )
        .default([]),
      /** Of a scan; without it the image is not scanned. */
      report: z
        .strictObject({
          scannedAt: z.number().default(0),
          vulnerabilities: z.array(weakness).nullable().default(null),
          secrets: z
            .array(z.strictObject({ kind: z.string(), severity: z.string() }))
            .nullable()
            .default(null),
          malware: z
            .array(z.strictObject({ name: z.string() }))
            .nullable()
            .default(null),
          checks: z
            .array(z.strictObject({ id: z.string(), severity: z.string() }))
            .nullable()
            .default(null),
        })
        .optional(),
    })
    .prefault({}),
});
type ImageCase = z.infer<typeof caseDocument>;

/** The cases beside a policy; none where there is no file. Raises `ImagePolicyError`. */
export function imageCasesOf({ file }: Pick<ImagePolicyFile, "file">): ImageCase[] {
  return casesBeside(file, z.array(caseDocument).max(200), (text, cause) => {
    const remedy = "a case of an ImagePolicy has name, image, facts and expect";
    return new ImagePolicyError("invalid", text, { remedy, cause });
  });
}

/** Runs the cases of a policy. One line for each that does not hold, and where there is no case of each kind. */
export async function imageCaseProblems(one: ImagePolicyFile): Promise<string[]> {
  return casesProblems(one.policy.name, imageCasesOf(one), async (item) => caseProblem(one.policy, item));
}

async function caseProblem(policy: ImagePolicy, item: ImageCase): Promise<string[]> {
  const { image, facts, expect } = item;
  const judge = createImageJudge({ source: sourceOf(facts) });
  let messages: string[];
  try {
    const verdict = await judge.judge(policy, image);
    if (!verdict) return expect === "deny" ? ["the policy is not about this image"] : [];
    messages = verdict.failures.map((one) => one.message);
  } catch (error) {
    return [errorText(error)];
  }
  const problem = verdictProblem(item, messages.length === 0, messages);
  return problem === undefined ? [] : [problem];
}

function sourceOf({ digest, age, config, signatures, attestations, report }: ImageCase["facts"]): ImageSource {
  const known: ScanFacts = report ? { known: true, ...report } : notScanned;
  return {
    report: async () => known,
    open: async () => ({
      digest: async () => digest ?? `sha256:${"0".repeat(64)}`,
      verify: async () => ({ signatures, attestations, account: [] }),
      config: async () => ({
        config,
        ...(age !== undefined && { created: new Date(Date.now() - age * 1000).toISOString() }),
      }),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  };
}
