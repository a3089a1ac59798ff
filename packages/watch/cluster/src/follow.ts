import { reflect, type Kube, type KubeError, type Mirror } from "@bulwark/kube";
import { kubeKinds, type KubeChange, type KubeKind, type KubeStatus } from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";
import { collections } from "./collections.ts";
import { toKubeObject } from "./convert.ts";
import { manifestOf, Manifests } from "./manifest.ts";
import { createWriter, type ChangeWriter } from "./writer.ts";

export interface FollowOptions {
  /** What the cluster is called. */
  name: string;
  client: Kube;
  /** Takes changes in their order, and says how many objects are now others. Rejects: the same changes come again. */
  write(changes: readonly KubeChange[]): Promise<number>;
  /** Milliseconds for which changes are gathered. */
  gather: number;
  /** Living objects; what is beyond is not kept, and counted. */
  mostObjects: number;
  /** When the inventory was known to be complete before; null where it never was. */
  syncedAt: number | null;
  /** Whole objects are told too, where they are others than before: the one that takes them cannot read the cluster. */
  manifests?: boolean;
  logger: Logger;
  /** For metrics. */
  tally?(what: "dropped" | "listed" | "unreadable", number: number): void;
}

export interface Following extends AsyncDisposable {
  /** Every kind has been listed, nothing fails, and all of it has been taken. */
  readonly isComplete: boolean;
  /** How well the cluster is known at this moment. */
  status(): KubeStatus;
}

/** How well one kind is known. */
interface KindState {
  listed: boolean;
  /** Uids of those that live. */
  living: ReadonlySet<string>;
  error: KubeError | undefined;
}

/** Keeps up with all objects of a cluster until it is disposed. Raises `KubeError` when the cluster cannot be reached at first. */
export async function followCluster(options: FollowOptions): Promise<Following> {
  const { name, client, write, gather, mostObjects, manifests = false, logger, tally = () => undefined } = options;
  const stop = new AbortController();
  await using stack = new AsyncDisposableStack();
  stack.use(client);
  const told = await identify(client);
  const troubled = (reason: string): void => logger.warn({ cluster: name, reason }, "changes of a cluster wait");
  const writer = stack.use(createWriter({ write, gather, troubled }));
  const counters = { relists: 0, errors: 0, unreadable: 0, dropped: 0 };
  const states = new Map<KubeKind, KindState>();
  for (const kind of kubeKinds) states.set(kind, { listed: false, living: new Set(), error: undefined });
  let { syncedAt } = options;

  function mirrorOf(kind: KubeKind): Mirror {
    const state: KindState = states.get(kind) ?? { listed: false, living: new Set(), error: undefined };
    let living = new Set<string>();
    let listing = new Set<string>();
    const told = new Manifests();
    const others = (): number => [...states.values()].reduce((sum, one) => sum + one.living.size, 0) - living.size;

    /** Into `own`, unless that is one too many. */
    const take: (raw: Parameters<Mirror["put"]>[0], own: Set<string>) => Promise<void> = async (raw, own) => {
      const { uid } = raw.metadata;
      if (!own.has(uid) && others() + own.size >= mostObjects) {
        counters.dropped++;
        tally("dropped", 1);
        return;
      }
      own.add(uid);
      const object = toKubeObject(name, kind, raw);
      if (!object) {
        counters.unreadable++;
        tally("unreadable", 1);
        return;
      }
      await writer.add({ type: "put", object, ...(manifests && told.changed(uid, manifestOf(kind, raw))) });
    };
    return {
      async page(objects) {
        for (const raw of objects) await take(raw, listing);
      },
      async listed() {
        await writer.add({ type: "list", kind, uids: [...listing] });
        if (state.listed) counters.relists++;
        tally("listed", 1);
        living = listing;
        told.keep(living);
        listing = new Set();
        Object.assign(state, { listed: true, living });
      },
      put: async (raw) => take(raw, living),
      async gone({ metadata }) {
        living.delete(metadata.uid);
        told.forget(metadata.uid);
        await writer.add({ type: "delete", uid: metadata.uid });
      },
      heard() {
        state.error = undefined;
      },
      failed(error) {
        // What was read of a list that broke off is read again.
        listing = new Set();
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
    // Together: who reads may wait for room at a writer whose changes nobody takes.
    await Promise.allSettled([...running, writer[Symbol.asyncDispose]()]);
  });
  // A defect in one of them is not to be had in silence.
  for (const one of running) one.catch((error: unknown) => logger.error({ cluster: name, error }, "following ended"));

  const isComplete = (): boolean => {
    const known = [...states.values()].every(({ listed, error }) => listed || error?.code === "not-found");
    return known && failing(states).length === 0 && writer.isIdle && writer.trouble === "";
  };
  const open = stack.move();
  return {
    get isComplete() {
      return isComplete();
    },
    status() {
      if (isComplete()) syncedAt = Date.now();
      return { ...told, ...judge(states, writer, counters), syncedAt };
    },
    [Symbol.asyncDispose]: async () => open.disposeAsync(),
  };
}

async function identify(client: Kube): Promise<{ uid: string; version: string }> {
  const version = (await client.read("/version")) as { gitVersion?: unknown };
  const system = (await client.read("/api/v1/namespaces/kube-system")) as { metadata?: { uid?: unknown } };
  return {
    version: typeof version.gitVersion === "string" ? version.gitVersion.slice(0, 64) : "",
    uid: typeof system.metadata?.uid === "string" ? system.metadata.uid.slice(0, 128) : "",
  };
}

/** What fails now. Kinds that the cluster does not have are not among them. */
function failing(states: ReadonlyMap<KubeKind, KindState>): KubeError[] {
  return [...states.values()]
    .map(({ error }) => error)
    .filter((error) => error !== undefined)
    .filter(({ code }) => code !== "not-found");
}

function judge(
  states: ReadonlyMap<KubeKind, KindState>,
  writer: ChangeWriter,
  counters: Record<"dropped" | "errors" | "relists" | "unreadable", number>,
): Pick<KubeStatus, "counters" | "reason" | "remedy" | "state"> {
  const errors = failing(states);
  const isAway = [...states.values()].every(({ error }) => ["unreachable", "not-found"].includes(error?.code ?? ""));
  const told = [...new Set(errors.map(({ message }) => message))];
  const reasons = isAway ? told.slice(0, 1) : told;
  if (writer.trouble !== "") reasons.unshift(`its changes are not taken: ${writer.trouble}`);
  if (counters.unreadable > 0) reasons.push(`${counters.unreadable} objects could not be read`);
  if (counters.dropped > 0) reasons.push(`${counters.dropped} objects are beyond the bound of what is kept`);
  const remedy = errors.map((error) => error.remedy).find((text) => text !== undefined) ?? "";
  return {
    state: isAway ? "failed" : reasons.length > 0 ? "degraded" : "ok",
    reason: reasons.join("; ").slice(0, 2048),
    remedy: remedy.slice(0, 2048),
    counters: { ...counters, written: writer.written },
  };
}
