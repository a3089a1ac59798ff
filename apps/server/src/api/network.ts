import type { NetworkCluster } from "@bulwark/contract";
import {
  containerEnd,
  networkEndKey,
  splitNodeId,
  type NetworkEnd,
  type NetworkObserver,
  type NetworkPolicyDocument,
} from "@bulwark/model";
import type { JudgedEdge } from "@bulwark/learn";
import type { Cluster } from "@bulwark/netpol";
import type { FlowFilter, FlowSum } from "@bulwark/store";
import { actorOf, type Caller } from "../auth/caller.ts";
import type { Context } from "../context.ts";
import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";
import { namedClusters } from "../kubernetes/keep.ts";
import { confirm, publish, undo } from "../network/documents.ts";
import { containersOf } from "../network/containers.ts";
import { edgesOf, mentions } from "../network/edges.ts";
import { podEdges, toEdges } from "../network/sums.ts";
import { inNetworkThread, WrongInput, type NetworkAnswers } from "../network/thread.ts";
import { refKey, refOf } from "../network/policy-kinds.ts";
import { audited } from "./audited.ts";
import { found } from "./found.ts";

const day = 86_400_000;
/** A node that has said nothing for so long does not tell now. */
const silence = 180_000;

export const networkHandlers: HandlersOf<"network"> = {
  async listNetworkEdges({ query, now }, context) {
    const { grain, limit, q, ...filter } = { ...query, ...timesOf(query, now) };
    // What clusters say takes time too: it is asked for before it is needed.
    const [{ items: sums, truncated }, clusters, began, alerts, watched] = await Promise.all([
      podEdges(filter, context, now),
      knownClusters(filter, context, now),
      context.store.flows.began(),
      alertsByWorkload(context),
      observersOf(filter, context, now),
    ]);
    const [verdicts, firstSeen] = await Promise.all([
      verdictsOf(sums, context, now),
      context.store.flows.firstSeen(sums.map(({ pair }) => pair)),
    ]);
    const verdictOf = (sum: FlowSum): NetworkAnswers["judge"][number] => verdicts.get(sum) ?? null;
    const all = edgesOf(sums, { grain, until: filter.until, firstSeen, began, verdictOf, alerts });
    const named = q === undefined || q === "" ? all : all.filter((edge) => mentions(edge, q));
    named.sort((a, b) => b.connections - a.connections || (a.id < b.id ? -1 : 1));
    return {
      items: named.slice(0, limit),
      total: named.length,
      truncated: truncated || named.length > limit,
      ...{ since: filter.since, until: filter.until, lost: lostOf(watched), observers: watched, clusters },
    };
  },

  async listNetworkFlows({ query: { cursor, limit, ...query }, now }, { store }) {
    return store.flows.hours({ ...query, ...timesOf(query, now) }, { cursor, limit });
  },

  async listNetworkContainers({ query: { cluster, key } }, { store }) {
    return { items: (await containersOf(cluster, key, store)).slice(0, 500) };
  },

  async learnNetworkPolicies({ body, now }, context) {
    const { cluster, namespaces, grain, names, dns } = body;
    const filter = { cluster, ...timesOf(body, now) };
    const { items } = await podEdges(filter, context, now);
    const { pods } = await context.inventories.of(cluster, now);
    const known = items.filter(({ client, server }) => !isUnknownPod(client) && !isUnknownPod(server));
    const learned = await asked(
      inNetworkThread({ kind: "learn", edges: toEdges(known), namespaces, grain, names, dns, pods }),
    );
    const unknown = items.length - known.length;
    const skipped = { ...learned.skipped, ...(unknown > 0 && { "a pod that the API server does not know": unknown }) };
    return { ...learned, skipped, lost: lostOf(await observersOf(filter, context, now)) };
  },

  async replayNetworkPolicies({ body, now }, context) {
    return replayOf({ ...body, ...timesOf(body, now) }, context, now);
  },

  async listNetworkPolicies({ query: { cluster, namespace }, now }, context) {
    const clusters = await knownClusters({ cluster }, context, now);
    const documents = await publishedIn(context);
    const lists = clusters.map(async ({ cluster: name }) => {
      const { objects } = await context.clusterPolicies.of(name, now);
      const own = (objects ?? []).filter(
        (object) => namespace === undefined || [namespace, ""].includes(refOf(object).namespace),
      );
      if (own.length === 0) return [];
      const texts = await inNetworkThread({ kind: "texts", objects: own });
      return own.map((object, index) => {
        const ref = refOf(object);
        const { text = "", problems = [] } = texts[index] ?? {};
        return { ...ref, cluster: name, text, problems, document: documents.get(`${name} ${refKey(ref)}`) ?? null };
      });
    });
    return { items: (await Promise.all(lists)).flat(), clusters };
  },

  async listNetworkPolicyDocuments({ query: { cursor, limit, ...filter } }, { store }) {
    return store.networkDocuments.list(filter, { cursor, limit });
  },

  async getNetworkPolicyDocument({ params, now }, context) {
    const document = found(await context.store.networkDocuments.get(params.id), "document");
    const { cluster, text, removed, published, state } = document;
    const times = { since: published.time, until: now };
    const observed =
      state === "observing" ? await replayOf({ cluster, text, remove: removed, ...times }, context, now) : null;
    return { document, observed };
  },

  async publishNetworkPolicies(call, context) {
    const document = await asked(
      publish(call.body, actorOf(call.caller), call.now, context, async (planned) => {
        const { id, cluster, mode, state, policies, removed, reason, confirmBefore } = planned;
        const detail = { cluster, mode, state, policies, removed, reason, confirmBefore };
        await audited(context, call, "network-policy.publish", id, detail);
      }),
    );
    await changed(document, context);
    return document;
  },

  async confirmNetworkPolicies(call, context) {
    const before = found(await context.store.networkDocuments.get(call.params.id), "document");
    const document = await confirm(before, actorOf(call.caller), call.now, context);
    await told("network-policy.confirm", document, call, context);
    return document;
  },

  async undoNetworkPolicies(call, context) {
    const before = found(await context.store.networkDocuments.get(call.params.id), "document");
    if (before.state === "undone") throw new Refusal("conflict", "it is undone already");
    const document = await undo(before, actorOf(call.caller), context);
    await told("network-policy.undo", document, call, context);
    return document;
  },
};

interface Times {
  since?: number | undefined;
  until?: number | undefined;
}

/** The last day, unless told. */
function timesOf({ since, until }: Times, now: number): { since: number; until: number } {
  const end = until ?? now;
  const begin = since ?? end - day;
  if (begin > end) throw new Refusal("invalid", "since is after until");
  return { since: begin, until: end };
}

/** What a thread was given may be wrong: the caller's own text. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    throw error instanceof WrongInput ? new Refusal("invalid", error.message, { remedy: error.remedy }) : error;
  });
}

async function replayOf(
  wish: FlowFilter & { cluster: string; text: string; remove: NetworkPolicyDocument["removed"] },
  context: Context,
  now: number,
): Promise<NetworkAnswers["replay"] & { lost: number; cluster: NetworkCluster }> {
  const { cluster, text, remove, since, until } = wish;
  const filter = { cluster, since, until };
  const [{ items }, { known, objects }] = await Promise.all([
    podEdges(filter, context, now),
    context.clusterPolicies.of(cluster, now),
  ]);
  const present = await presentOf(cluster, objects ?? [], context, now);
  const job = { kind: "replay" as const, cluster, edges: toEdges(items), present, isKnown: objects !== null };
  const replayed = await asked(inNetworkThread({ ...job, text, remove }));
  return { ...replayed, lost: lostOf(await observersOf(filter, context, now)), cluster: known };
}

async function presentOf(
  cluster: string,
  policies: Cluster["policies"],
  { inventories }: Context,
  now: number,
): Promise<Cluster> {
  const { pods, namespaces, nodes } = await inventories.of(cluster, now);
  return { pods, namespaces, nodes, policies };
}

/** Its node calls it its own, and nobody else does (`network/claims.ts`): nothing shall be opened for it. */
function isUnknownPod({ workload }: NetworkEnd): boolean {
  return workload !== null && workload.pod !== null && workload.name === null;
}

/** What the policies of each cluster say now; of one whose policies are not known, nothing. */
async function verdictsOf(
  sums: readonly FlowSum[],
  context: Context,
  now: number,
): Promise<Map<FlowSum, NetworkAnswers["judge"][number]>> {
  const verdicts = new Map<FlowSum, NetworkAnswers["judge"][number]>();
  for (const [cluster, own] of Map.groupBy(sums, (sum) => sum.cluster)) {
    const { objects } = await context.clusterPolicies.of(cluster, now);
    if (!objects) continue;
    const present = await presentOf(cluster, objects, context, now);
    const judged = await inNetworkThread({ kind: "judge", edges: own.map(judgedOf), present });
    for (const [index, sum] of own.entries()) verdicts.set(sum, judged[index] ?? null);
  }
  return verdicts;
}

/** No more than is asked about goes to the thread. */
function judgedOf({ client, server, port, protocol }: FlowSum): JudgedEdge {
  return { client, server, port, protocol };
}

async function observersOf(
  { since, until, cluster }: Pick<FlowFilter, "since" | "until" | "cluster">,
  { store }: Context,
  now: number,
): Promise<NetworkObserver[]> {
  const { watches, lost } = await store.flows.watches({ since, until, cluster });
  const losses = new Map(lost.map((row) => [row.node, row.lost]));
  return Array.from(
    Map.groupBy(watches, ({ node }) => node),
    ([node, own]): NetworkObserver => {
      const [first = own[0]] = own;
      const last = own.at(-1);
      const gaps = own.slice(1).map((watch, index) => ({ from: own[index]?.until ?? since, until: watch.since }));
      return {
        ...{ node, cluster: splitNodeId(node).cluster, lost: losses.get(node) ?? 0, gaps },
        from: Math.max(since, first?.since ?? since),
        until: Math.min(until, last?.until ?? until),
        live: now - (last?.until ?? 0) < silence,
      };
    },
  );
}

function lostOf(observers: readonly NetworkObserver[]): number {
  return observers.reduce((sum, { lost }) => sum + lost, 0);
}

/** Clusters whose policies could be known, and those of which flows came. */
async function knownClusters(
  { cluster }: { cluster?: string | undefined },
  context: Context,
  now: number,
): Promise<NetworkCluster[]> {
  const seen = [...(await context.store.flows.began()).keys()];
  const names = new Set([...namedClusters(context).map(({ name }) => name), ...seen]);
  const wanted = [...names].filter((name) => cluster === undefined || name === cluster).sort();
  return Promise.all(wanted.map(async (name) => (await context.clusterPolicies.of(name, now)).known));
}

/** Open alerts of network detectors, by cluster and key of the workload. */
async function alertsByWorkload({ store }: Context): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const { items } = await store.alerts.list({ state: "open", q: "network-" }, { limit: 500 });
  for (const { rule, container, node } of items) {
    if (!rule.startsWith("network-") || !container) continue;
    const key = `${splitNodeId(node).cluster}\n${networkEndKey(containerEnd(container), "workload")}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** By cluster and policy: the document that published it last. */
async function publishedIn({ store }: Context): Promise<Map<string, string>> {
  const { items } = await store.networkDocuments.list({}, { limit: 500 });
  const published = items.filter(({ state }) => state === "published" || state === "confirmed").toReversed();
  return new Map(
    published.flatMap(({ id, cluster, policies }) => policies.map((ref) => [`${cluster} ${refKey(ref)}`, id] as const)),
  );
}

async function told(
  action: string,
  document: NetworkPolicyDocument,
  call: { caller: Caller; now: number },
  context: Context,
): Promise<void> {
  const { id, cluster, state, problem } = document;
  await audited(context, call, action, id, { cluster, state, problem });
  await changed(document, context);
}

async function changed({ cluster }: NetworkPolicyDocument, { live }: Context): Promise<void> {
  await live.publish("network", { cluster, what: "policies" });
}
