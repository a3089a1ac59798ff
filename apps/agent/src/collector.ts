import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { followCluster } from "@bulwark/cluster";
import type { Config } from "@bulwark/config";
import { connect, type Kube } from "@bulwark/kube";
import { BulwarkError, collectorOf, errorText, type ClusterReport, type KubeChange } from "@bulwark/model";
import { createLogger, type Logger } from "@bulwark/telemetry";
import { z } from "zod";
import { Connection } from "./connection.ts";
import { folderKeeper, secretKeeper } from "./keeper.ts";
import { ticketFrom } from "./ticket.ts";

export interface CollectorOptions {
  config: Config;
  /** Addresses of the control plane: the next one when one is silent. */
  servers: readonly string[];
  joinToken(): Promise<string | undefined>;
  log?: Logger;
  /** The API server; the pod's own, or `agent.kubernetes.kubeconfig`, unless another is given. */
  open?: () => Kube;
  /** Milliseconds between two words on how well the cluster is known; a server waits for three of them. */
  every?: number;
}

/**
 * - `refused`: the control plane does not take what is sent
 * - `taken`: another collector tells of this cluster, or the server itself does
 * - `forgotten`: the control plane knows nothing of this cluster any more, and has to be told all of it
 */
class CollectorError extends BulwarkError<"forgotten" | "refused" | "taken"> {}

const gather = 200;
const mostObjects = 500_000;
/** Of one request, before it is packed; a server takes 32 MB. */
const requestSize = 8_000_000;
const requestChanges = 2000;
const firstPause = 1000;
const lastPause = 30_000;
/** Another collector that has died is believed to be there for 15 seconds. */
const takenPause = 5000;
const leaveTime = 3000;
const compress = promisify(gzip);
const taken = z.object({ changed: z.number(), known: z.boolean() });

/**
 * Tells a control plane of all objects of the cluster that this runs in. The cluster joins with a token, once; from then
 * on a certificate names it. Nothing is kept here: what could not be sent is read from the API server again.
 */
export async function startCollector(options: CollectorOptions): Promise<AsyncDisposable> {
  const { config, servers, every = 5000, log = createLogger("collector") } = options;
  const { cluster, kubeconfig, identitySecret } = config.agent.kubernetes;
  const open = options.open ?? (() => connect(kubeconfig === undefined ? {} : { kubeconfig }));
  const keeper =
    identitySecret === undefined ? folderKeeper(join(config.data, "identity")) : secretKeeper(identitySecret, open);
  const ticket = ticketFrom(config.agent, options.joinToken);
  const stop = new AbortController();
  const connection = new Connection({
    servers,
    credentials: { kind: "certificate", keeper, node: collectorOf(cluster), ticket },
  });
  const running = run();
  log.info({ cluster, servers }, "the collector tells of this cluster");
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      connection.close();
    },
  };

  async function run(): Promise<void> {
    let said = "";
    for (let pause = firstPause; !stop.signal.aborted; pause = Math.min(pause * 2, lastPause)) {
      try {
        await tell(() => {
          pause = firstPause;
          said = "";
        });
      } catch (error) {
        // Said once, however often it is tried.
        const reason = errorText(error);
        if (reason !== said && !stop.signal.aborted)
          log.warn({ cluster, reason, ...remedyOf(error) }, "nothing is told");
        said = reason;
        if (error instanceof CollectorError && error.code === "taken") pause = Math.min(pause, takenPause);
        await sleep(pause, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  }

  /** Until another collector has the cluster, or for ever. */
  async function tell(heard: () => void): Promise<void> {
    const session = randomUUID();
    // Whether this one may is asked before anything is read.
    await send({ session, changes: [] });
    try {
      await tellAs(session, heard);
    } finally {
      // The server away is an ordinary state: it then finds out by itself.
      const leaving = send({ session, changes: [], leaving: true }, AbortSignal.timeout(leaveTime));
      await leaving.catch(() => undefined);
    }
  }

  async function tellAs(session: string, heard: () => void): Promise<void> {
    await using following = await followCluster({
      ...{ name: cluster, client: open(), gather, mostObjects, syncedAt: null, manifests: true, logger: log },
      write: async (changes) => {
        let changed = 0;
        for (const part of inParts(changes)) changed += (await send({ session, changes: part })).changed;
        return changed;
      },
    });
    heard();
    let first = true;
    while (!stop.signal.aborted) {
      const { isComplete } = following;
      const known = await send({ session, changes: [], status: following.status() }).then(
        (answer) => answer.known,
        (error: unknown) => {
          if (error instanceof CollectorError && error.code === "taken") throw error;
          // The server away is an ordinary state: what waits to be written says so in the next word.
          return true;
        },
      );
      if (!known && !first) throw new CollectorError("forgotten", "the server was told to forget this cluster");
      first = false;
      await sleep(isComplete ? every : gather, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }

  async function send(report: ClusterReport, signal = stop.signal): Promise<{ changed: number; known: boolean }> {
    const body = await compress(JSON.stringify(report), { level: 1 });
    const answer = await connection.call("POST", "/api/agent/v1/cluster", { body, encoding: "gzip" }, signal);
    if (answer.status === 200) return taken.parse(answer.body);
    const { message, remedy } = answer.body as { message?: string; remedy?: string };
    throw new CollectorError(
      answer.status === 409 ? "taken" : "refused",
      `the server answered ${answer.status}: ${message ?? ""}`,
      remedy === undefined ? {} : { remedy },
    );
  }
}

/** As many changes at a time as a request may hold. */
function* inParts(changes: readonly KubeChange[]): Generator<KubeChange[]> {
  let part: KubeChange[] = [];
  let size = 0;
  for (const change of changes) {
    // Counted as characters: what is packed is smaller, and the bound is far below what a server takes.
    const own = JSON.stringify(change).length;
    if (part.length > 0 && (part.length >= requestChanges || size + own > requestSize)) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(change);
    size += own;
  }
  if (part.length > 0) yield part;
}

function remedyOf(error: unknown): { remedy?: string } {
  return error instanceof BulwarkError && error.remedy !== undefined ? { remedy: error.remedy } : {};
}
