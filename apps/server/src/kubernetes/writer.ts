import { errorText } from "@bulwark/model";
import type { KubeChange } from "@bulwark/store";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";

/** Takes the changes of one cluster to the store, in their order, many at a time. */
export interface ClusterWriter extends AsyncDisposable {
  /** Resolves at once, or when there is room again: whoever reads from the API server waits with what comes next. */
  add(change: KubeChange): Promise<void>;
  /** Nothing waits to be written. */
  readonly isIdle: boolean;
  readonly written: number;
  /** Why the store did not take the last batch; empty where it did. Nothing is lost: it is tried again. */
  readonly trouble: string;
}

const mostWaiting = 2000;
const again = 1000;

export function createClusterWriter(cluster: string, { store, live, limits, logger }: Context): ClusterWriter {
  let waiting: KubeChange[] = [];
  let flushing: Promise<void> | undefined;
  let room = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const closing = new AbortController();
  let written = 0;
  let trouble = "";

  async function flush(): Promise<void> {
    timer = undefined;
    const batch = waiting;
    waiting = [];
    room.resolve();
    room = Promise.withResolvers<void>();
    for (;;) {
      try {
        const changed = await store.kubernetes.write(cluster, batch, Date.now());
        trouble = "";
        const total = changed.reduce((sum, item) => sum + item.changed, 0);
        written += total;
        if (total === 0) return;
        count.kubeChanges.inc({ cluster, result: "written" }, total);
        const kinds = Object.fromEntries(changed.map((item) => [item.kind, item.changed]));
        await live.publish("cluster", { cluster, kinds });
        return;
      } catch (error) {
        if (trouble === "")
          logger.warn({ cluster, reason: errorText(error) }, "changes of a cluster wait for the database");
        trouble = errorText(error);
        // Who has the cluster next begins with a whole list.
        if (closing.signal.aborted) return;
        await new Promise((resolve) => setTimeout(resolve, again));
      }
    }
  }

  function plan(): void {
    if (flushing || timer || waiting.length === 0) return;
    const soon = waiting.length >= mostWaiting ? 0 : limits.clusterFlush;
    timer = setTimeout(begin, soon);
  }
  function begin(): void {
    clearTimeout(timer);
    flushing = flush().finally(() => {
      flushing = undefined;
      plan();
    });
  }

  return {
    async add(change) {
      while (waiting.length >= mostWaiting && !closing.signal.aborted) {
        plan();
        await room.promise;
      }
      if (closing.signal.aborted) return;
      waiting.push(change);
      if (waiting.length >= mostWaiting && !flushing) begin();
      else plan();
    },
    get isIdle() {
      return waiting.length === 0 && !flushing;
    },
    get written() {
      return written;
    },
    get trouble() {
      return trouble;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      clearTimeout(timer);
      room.resolve();
      await flushing;
    },
  };
}
