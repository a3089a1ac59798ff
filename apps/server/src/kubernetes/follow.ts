import { reflect, type Kube, type KubeError, type Mirror } from "@bulwark/kube";
import { kubeKinds, type KubeKind } from "@bulwark/model";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import { collections } from "./collections.ts";
import { toKubeObject } from "./convert.ts";
import { createClusterWriter } from "./writer.ts";

/** How well one kind is known. `absent`: the cluster does not have it. */
interface KindState {
  listed: boolean;
  living: number;
  error: KubeError | undefined;
}

export interface ClusterView {
  /** Every kind has been listed, nothing fails, and all of it is in the store. */
  readonly isComplete: boolean;
  /** What fails now: the kinds and why. Kinds that the cluster does not have are not among them. */
  readonly failing: { kind: KubeKind; error: KubeError }[];
  /** Nothing at all can be read. */
  readonly isAway: boolean;
  readonly trouble: string;
  readonly uid: string;
  readonly version: string;
  readonly counters: { relists: number; errors: number; written: number; unreadable: number; dropped: number };
}

export interface Following extends AsyncDisposable {
  readonly view: ClusterView;
}

/** Keeps up with all objects of a cluster until it is disposed. Raises `KubeError` when the cluster cannot be reached at first. */
export async function followCluster(name: string, client: Kube, context: Context): Promise<Following> {
  const { limits } = context;
  const stop = new AbortController();
  await using stack = new AsyncDisposableStack();
  stack.use(client);
  const { uid, version } = await identify(client);
  const writer = stack.use(createClusterWriter(name, context));
  const counters = { relists: 0, errors: 0, unreadable: 0, dropped: 0 };
  const states = new Map<KubeKind, KindState>();
  for (const kind of kubeKinds) states.set(kind, { listed: false, living: 0, error: undefined });
  const living = (): number => [...states.values()].reduce((sum, state) => sum + state.living, 0);

  function mirrorOf(kind: KubeKind): Mirror {
    const state: KindState = states.get(kind) ?? { listed: false, living: 0, error: undefined };
    let uids: string[] = [];
    const put: Mirror["put"] = async (raw) => {
      const object = toKubeObject(name, kind, raw);
      if (!object) {
        counters.unreadable++;
        count.kubeChanges.inc({ cluster: name, result: "unreadable" });
      } else await writer.add({ type: "put", object });
    };
    return {
      async page(objects) {
        for (const raw of objects) {
          if (living() - state.living + uids.length >= limits.clusterObjects) {
            counters.dropped++;
            count.kubeChanges.inc({ cluster: name, result: "dropped" });
            continue;
          }
          uids.push(raw.metadata.uid);
          await put(raw);
        }
      },
      async listed() {
        await writer.add({ type: "list", kind, uids });
        if (state.listed) counters.relists++;
        count.kubeLists.inc({ cluster: name });
        Object.assign(state, { listed: true, living: uids.length });
        uids = [];
      },
      put,
      gone: async ({ metadata }) => writer.add({ type: "delete", uid: metadata.uid }),
      heard() {
        state.error = undefined;
      },
      failed(error) {
        // What was read of a list that broke off is read again.
        uids = [];
        counters.errors++;
        state.error = error;
      },
    };
  }

  const running = kubeKinds.map(async (kind) =>
    reflect(client, collections[kind], mirrorOf(kind), { signal: stop.signal }),
  );
  stack.defer(async () => {
    stop.abort();
    await Promise.allSettled(running);
  });
  // A defect in one of them is not to be had in silence.
  for (const one of running)
    one.catch((error: unknown) => context.logger.error({ cluster: name, error }, "following ended"));

  const failing = (): ClusterView["failing"] =>
    Array.from(states, ([kind, { error }]) => ({ kind, error })).filter(
      (item): item is ClusterView["failing"][number] => item.error !== undefined && item.error.code !== "not-found",
    );
  const view: ClusterView = {
    get isComplete() {
      const known = [...states.values()].every(({ listed, error }) => listed || error?.code === "not-found");
      return known && failing().length === 0 && writer.isIdle && writer.trouble === "";
    },
    get failing() {
      return failing();
    },
    get isAway() {
      return [...states.values()].every(({ error }) => error?.code === "unreachable" || error?.code === "not-found");
    },
    get trouble() {
      return writer.trouble;
    },
    uid,
    version,
    get counters() {
      return { ...counters, written: writer.written };
    },
  };
  const open = stack.move();
  return { view, [Symbol.asyncDispose]: async () => open.disposeAsync() };
}

async function identify(client: Kube): Promise<{ uid: string; version: string }> {
  const version = (await client.read("/version")) as { gitVersion?: unknown };
  const system = (await client.read("/api/v1/namespaces/kube-system")) as { metadata?: { uid?: unknown } };
  return {
    version: typeof version.gitVersion === "string" ? version.gitVersion.slice(0, 64) : "",
    uid: typeof system.metadata?.uid === "string" ? system.metadata.uid.slice(0, 128) : "",
  };
}
