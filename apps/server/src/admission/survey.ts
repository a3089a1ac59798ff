import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import type { SurveyResult } from "@bulwark/gate";
import type { ImageJudge, Verdict } from "@bulwark/imagepolicy";
import { errorText } from "@bulwark/model";
import type { ClusterSource, OpenSource } from "../kubernetes/sources.ts";
import type { Definition, Source } from "./definitions.ts";
import { inTime } from "./image-verdicts.ts";

/** What a thread needs to hold a cluster against policies. */
export interface SurveyJob {
  readonly source: ClusterSource;
  readonly documents: readonly { file: string; text: string; source: Source; category: string }[];
  /** Those of the documents' policies that are asked, and about which namespaces they are not. */
  readonly policies: readonly { name: string; excludedNamespaces: string[] }[];
  /** Workloads that are listed for a policy. */
  readonly most: number;
}

export interface SurveyReport {
  readonly objects: number;
  readonly durationMs: number;
  readonly results: readonly SurveyResult[];
  /** What could not be looked at, one line each. */
  readonly problems: readonly string[];
}

export interface ImageQuestion {
  readonly id: number;
  readonly policy: string;
  readonly reference: string;
}
/** `verdict`, or why there is none. */
export interface ImageAnswer {
  readonly id: number;
  readonly verdict: Verdict | null;
  readonly reason: string;
}

/** A page of objects is some megabytes; the policies with their programs are about a hundred. */
const heapLimitMegabytes = 512;
const timeLimit = 600_000;
/** Images that are looked at in registries at once, and how long one may take. */
const imagesAtOnce = 8;
const imagePatience = 30_000;
const mostListed = 2000;

export interface SurveyWish {
  readonly open: Omit<OpenSource, typeof Symbol.dispose>;
  readonly definitions: readonly Definition[];
  /** What the webhook is not asked about either, by policy. */
  excludedNamespaces(definition: Definition): string[];
  readonly images: ImageJudge;
  readonly signal: AbortSignal;
}

/** Holds all that runs in a cluster against policies. Raises where the cluster cannot be read at all. */
export async function surveyCluster(wish: SurveyWish): Promise<SurveyReport> {
  const { source, transfer, incomplete } = wish.open;
  const worker = new Worker(new URL("survey-worker.ts", import.meta.url), {
    workerData: { ...wanted(wish), source } satisfies SurveyJob,
    transferList: [...transfer],
    resourceLimits: { maxOldGenerationSizeMb: heapLimitMegabytes },
  });
  const end = (): void => void worker.terminate();
  const timer = setTimeout(end, timeLimit);
  wish.signal.addEventListener("abort", end, { once: true });
  const answer = imageAnswers(wish);
  try {
    const report = await new Promise<SurveyReport>((resolve, reject) => {
      worker.on("message", (message: ImageQuestion | { report: SurveyReport }) => {
        if ("report" in message) resolve(message.report);
        else void answer(message).then((said) => worker.postMessage(said));
      });
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("the look at it was broken off")));
    });
    return incomplete === "" ? report : { ...report, problems: [incomplete, ...report.problems] };
  } finally {
    clearTimeout(timer);
    wish.signal.removeEventListener("abort", end);
    await worker.terminate();
  }
}

/** Changes with all that the verdicts depend on but the cluster's objects. */
export function hashOf(wish: Pick<SurveyWish, "definitions" | "excludedNamespaces">): string {
  const { documents, policies } = wanted(wish);
  return createHash("sha256")
    .update(JSON.stringify([documents, policies]))
    .digest("hex");
}

function wanted({
  definitions,
  excludedNamespaces,
}: Pick<SurveyWish, "definitions" | "excludedNamespaces">): Omit<SurveyJob, "source"> {
  const documents = new Map(
    definitions.map(({ file, text, source, category }) => [`${source} ${file}`, { file, text, source, category }]),
  );
  const policies = definitions.map((one) => ({ name: one.name, excludedNamespaces: excludedNamespaces(one) }));
  return { documents: [...documents.values()], policies, most: mostListed };
}

function imageAnswers({ definitions, images }: SurveyWish): (question: ImageQuestion) => Promise<ImageAnswer> {
  const policies = new Map(definitions.flatMap(({ name, image }) => (image ? [[name, image] as const] : [])));
  const free: (() => void)[] = [];
  let busy = 0;
  return async ({ id, policy, reference }) => {
    if (busy >= imagesAtOnce) await new Promise<void>((resolve) => free.push(resolve));
    busy++;
    try {
      const known = policies.get(policy);
      if (!known) throw new Error(`there is no ImagePolicy ${policy}`);
      const verdict = await inTime(images.judge(known, reference), reference, imagePatience);
      return { id, verdict, reason: "it is not about this image" };
    } catch (error) {
      return { id, verdict: null, reason: errorText(error) };
    } finally {
      busy--;
      free.shift()?.();
    }
  };
}
