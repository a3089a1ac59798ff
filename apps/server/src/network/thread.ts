import { Worker } from "node:worker_threads";
import type { LearnedPolicies, ReplayedPolicies } from "@bulwark/contract";
import type { Edge, Grain } from "@bulwark/flow";
import type { JudgedEdge } from "@bulwark/learn";
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
  | { kind: "judge"; edges: readonly JudgedEdge[]; present: Cluster }
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
/** One that has nothing to do ends after so long: a map that is open asks every half a minute, a large one every three. */
const idleFor = 200_000;
const mostAtOnce = 2;
const waiting: (() => void)[] = [];
const idle: { worker: Worker; timer: NodeJS.Timeout }[] = [];
let running = 0;

/** Does it in a thread, two at a time. Raises what the job raises, and an error where it takes too long. */
export async function inNetworkThread<K extends NetworkJob["kind"]>(
  job: Extract<NetworkJob, { kind: K }>,
): Promise<NetworkAnswers[K]> {
  if (running >= mostAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await work(job);
  } finally {
    // Whoever waits longest takes this one's place.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

async function work<K extends NetworkJob["kind"]>(job: Extract<NetworkJob, { kind: K }>): Promise<NetworkAnswers[K]> {
  const worker = take();
  const timer = setTimeout(() => void worker.terminate(), timeLimit);
  try {
    const said = (await answerOf(worker, job)) as Said<K>;
    keep(worker);
    if ("answer" in said) return said.answer;
    throw new WrongInput(said.wrong, said.remedy);
  } finally {
    clearTimeout(timer);
  }
}

async function answerOf(worker: Worker, job: NetworkJob): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const ended = (): void => reject(new Error("it took too long, or was broken off"));
  worker.once("message", resolve).once("error", reject).once("exit", ended);
  try {
    worker.postMessage(job);
    return await promise;
  } finally {
    worker.off("message", resolve).off("error", reject).off("exit", ended);
  }
}
type Said<K extends NetworkJob["kind"]> = { answer: NetworkAnswers[K] } | { wrong: string; remedy: string };

function take(): Worker {
  const one = idle.pop();
  if (one) {
    clearTimeout(one.timer);
    one.worker.ref();
    return one.worker;
  }
  const worker = new Worker(new URL("network-worker.ts", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: heapLimitMegabytes },
  });
  return worker.on("exit", () => drop(worker));
}

function keep(worker: Worker): void {
  worker.unref();
  // It is nobody's before it ends: whoever took one that ends would be told that it was broken off.
  const end = (): void => {
    drop(worker);
    void worker.terminate();
  };
  idle.push({ worker, timer: setTimeout(end, idleFor).unref() });
}

function drop(worker: Worker): void {
  const at = idle.findIndex((one) => one.worker === worker);
  if (at < 0) return;
  clearTimeout(idle[at]?.timer);
  idle.splice(at, 1);
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
