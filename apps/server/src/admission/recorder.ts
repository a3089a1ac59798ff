import { randomUUID } from "node:crypto";
import { errorText, type AdmissionDecision } from "@bulwark/model";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";

/** Often, and so not many at once: while they are made into rows, no review is answered. */
const flushEvery = 100;
const atOnce = 1000;
/** Above the first, what was allowed is not kept any more; above the second, nothing. */
const crowded = 2000;
const most = 10_000;

/** Writes decisions down, some time after: an answer never waits for the database. */
export interface Recorder extends AsyncDisposable {
  add(decision: Omit<AdmissionDecision, "id">): void;
  /** A review had no verdict; many of a kind become one line. */
  turnedAway(cluster: string, why: string, reason: string): void;
}

export function createRecorder({ store, logger }: Pick<Context, "store" | "logger">): Recorder {
  let waiting: AdmissionDecision[] = [];
  const away = new Map<string, { cluster: string; why: string; reason: string; number: number }>();
  let flushing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let told = 0;

  function plan(): void {
    timer ??= setTimeout(() => void flush(), flushEvery).unref();
  }

  async function flush(): Promise<void> {
    timer = undefined;
    flushing ??= write().finally(() => {
      flushing = undefined;
      if (waiting.length > 0 || away.size > 0) plan();
    });
    return flushing;
  }

  function gather(): void {
    for (const { cluster, why, reason, number } of away.values()) keep(unjudged(cluster, why, reason, number));
    away.clear();
  }

  async function write(): Promise<void> {
    gather();
    const batch = waiting.slice(0, atOnce);
    if (batch.length === 0) return;
    try {
      await store.admission.append(batch);
      waiting = waiting.slice(batch.length);
    } catch (error) {
      if (Date.now() - told > 10_000) {
        told = Date.now();
        logger.warn({ reason: errorText(error), waiting: waiting.length }, "admission decisions could not be written");
      }
      await new Promise((resolve) => setTimeout(resolve, 1000).unref());
    }
  }

  function keep(decision: AdmissionDecision): void {
    if (waiting.length >= most || (waiting.length >= crowded && decision.outcome === "allowed")) {
      count.decisionsDropped.inc();
      return;
    }
    waiting.push(decision);
    plan();
  }

  return {
    add: (decision) => keep({ ...decision, id: idOf(decision.time) }),
    turnedAway(cluster, why, reason) {
      const known = away.get(`${cluster} ${why}`);
      if (known) known.number++;
      else if (away.size < 100) away.set(`${cluster} ${why}`, { cluster, why, reason, number: 1 });
      plan();
    },
    async [Symbol.asyncDispose]() {
      await flushing;
      gather();
      clearTimeout(timer);
      // Once more for what came meanwhile; what the database does not take now is lost, and counted.
      while (waiting.length > 0) {
        const batch = waiting.splice(0, atOnce);
        await store.admission.append(batch).catch(() => count.decisionsDropped.inc(batch.length));
      }
    },
  };
}

/**
 * A UUID of version 7 (RFC 9562, 5.7): what is written one after the other lies side by side in the table's indexes, and
 * costs a third less.
 */
function idOf(time: number): string {
  const when = time.toString(16).padStart(12, "0");
  return `${when.slice(0, 8)}-${when.slice(8)}-7${randomUUID().slice(15)}`;
}

function unjudged(cluster: string, why: string, reason: string, number: number): AdmissionDecision {
  const time = Date.now();
  return {
    ...{ id: idOf(time), time, cluster, policy: "", outcome: "missed", mode: "observe", rule: -1 },
    reason: `${number} ${number === 1 ? "review" : "reviews"} had no verdict (${why}): ${reason}`.slice(0, 2048),
    ...{ operation: "", kind: "", namespace: "", name: "", user: "", duration: 0 },
  };
}
