import { Worker } from "node:worker_threads";
import type { LearnedPolicies, ReplayedPolicies } from "@bulwark/contract";
import type { Edge, Grain } from "@bulwark/flow";
import type { Cluster, Pod } from "@bulwark/netpol";
import type { NetworkPolicyRef } from "@bulwark/model";
import type { PolicyObject } from "./policy-kinds.ts";

/** What a thread is asked. */
export type NetworkJob =
  | {
      kind: "learn";
      edges: readonly Edge[];
      namespaces: readonly string[];
      grain: Grain;
      pods: readonly Pod[];
      names: boolean;
      dns: boolean;
    }
  /** `text` and `remove` change the policies of the cluster, which may not be known. */
  | {
      kind: "replay";
      cluster: string;
      edges: readonly Edge[];
      present: Cluster;
      isKnown: boolean;
      text: string;
      remove: readonly NetworkPolicyRef[];
    }
  /** What policies say of edges; null where they say nothing. */
  | { kind: "judge"; edges: readonly Edge[]; present: Cluster }
  /** Policies of a text; or of a cluster, with what is wrong with each. */
  | { kind: "read"; text: string }
  | { kind: "texts"; objects: readonly PolicyObject[] };

export interface NetworkAnswers {
  learn: Omit<LearnedPolicies, "lost">;
  replay: Omit<ReplayedPolicies, "lost" | "cluster">;
  judge: ({ allowed: boolean; reason: string } | null)[];
  read: { objects: PolicyObject[]; problems: ReplayedPolicies["problems"] };
  texts: { text: string; problems: string[] }[];
}

/** Ten thousand pods under a thousand policies, and some hundred thousand edges. */
const heapLimitMegabytes = 2048;
const timeLimit = 60_000;
const mostAtOnce = 2;
const waiting: (() => void)[] = [];
let running = 0;

/** Does it in a thread of its own, two at a time. Raises what the job raises, and an error where it takes too long. */
export async function inNetworkThread<K extends NetworkJob["kind"]>(
  job: Extract<NetworkJob, { kind: K }>,
): Promise<NetworkAnswers[K]> {
  while (running >= mostAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    return await work(job);
  } finally {
    running--;
    waiting.shift()?.();
  }
}

async function work<K extends NetworkJob["kind"]>(job: Extract<NetworkJob, { kind: K }>): Promise<NetworkAnswers[K]> {
  const worker = new Worker(new URL("network-worker.ts", import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: heapLimitMegabytes },
  });
  const timer = setTimeout(() => void worker.terminate(), timeLimit);
  try {
    return await new Promise<NetworkAnswers[K]>((resolve, reject) => {
      worker.once("message", (answer: { answer: NetworkAnswers[K] } | { wrong: string; remedy: string }) => {
        if ("answer" in answer) resolve(answer.answer);
        else reject(new WrongInput(answer.wrong, answer.remedy));
      });
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("it took too long, or was broken off")));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

/** What was given is wrong; the text says what, where, how to mend. */
export class WrongInput extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.name = "WrongInput";
    this.remedy = remedy;
  }
}
