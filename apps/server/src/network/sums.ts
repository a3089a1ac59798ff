import type { Edge, End } from "@bulwark/flow";
import type { FlowFilter, FlowSum } from "@bulwark/store";
import type { Context } from "../context.ts";
import { endKey } from "./end-key.ts";

/** Edges of pods that one answer looks at. */
const mostSums = 100_000;

export interface PodEdges {
  readonly items: readonly FlowSum[];
  /** There were more; those with the fewest connections were left out. */
  readonly truncated: boolean;
}

/**
 * Who talked to whom at the grain of pods. What both nodes of a connection told counts once: the client's node knows more
 * of it, but for what the server's node did not let in.
 */
export async function podEdges(filter: FlowFilter, { store, inventories }: Context, now: number): Promise<PodEdges> {
  const { items, truncated } = await store.flows.sums(filter, mostSums);
  const clusters = new Set(items.map(({ cluster }) => cluster));
  // Whoever was not known when a flow came may be now.
  const known = new Map(
    await Promise.all([...clusters].map(async (name) => [name, await inventories.of(name, now)] as const)),
  );
  return { items: once(items.map((sum) => known.get(sum.cluster)?.resolve(sum) ?? sum)), truncated };
}

function once(sums: readonly FlowSum[]): FlowSum[] {
  if (!sums.some(({ side }) => side === "server")) return [...sums];
  const byClient = new Map<string, FlowSum>();
  for (const sum of sums) if (sum.side === "client") byClient.set(bothEnds(sum), sum);
  const denied = new Map<FlowSum, FlowSum[]>();
  const result: FlowSum[] = [];
  for (const sum of sums) {
    const told = sum.side === "server" ? byClient.get(bothEnds(sum)) : undefined;
    if (!told) result.push(sum);
    else if (sum.results.denied > 0) denied.set(told, [...(denied.get(told) ?? []), sum]);
  }
  return denied.size === 0 ? result : result.map((sum) => withDenied(sum, denied.get(sum) ?? []));
}

function bothEnds({ cluster, client, server, port, protocol }: FlowSum): string {
  return `${cluster}\n${endKey(client, "pod")}\n${endKey(server, "workload")}\n${port} ${protocol}`;
}

/** What the server's side dropped, the client's side saw as never answered. */
function withDenied(sum: FlowSum, others: readonly FlowSum[]): FlowSum {
  const denied = others.reduce((total, { results }) => total + results.denied, 0);
  const unanswered = Math.min(denied, sum.results["timed-out"]);
  const results = {
    ...sum.results,
    denied: sum.results.denied + denied,
    "timed-out": sum.results["timed-out"] - unanswered,
  };
  const deniedBy = [...new Set([...sum.deniedBy, ...others.flatMap((other) => other.deniedBy)])];
  return { ...sum, results, deniedBy, connections: sum.connections + denied - unanswered };
}

/** As policies are learned from and tried on. */
export function toEdges(sums: readonly FlowSum[]): Edge[] {
  const edges = new Map<string, Edge>();
  for (const sum of sums) {
    const key = [sum.client, sum.server].map(endId).join("\n") + `\n${sum.port} ${sum.protocol}`;
    const edge = edges.get(key);
    if (edge) add(edge, sum);
    else edges.set(key, edgeOf(sum));
  }
  return [...edges.values()];
}

const ids = new WeakMap<End, string>();

function endId(end: End): string {
  const known = ids.get(end) ?? writtenOut(end);
  ids.set(end, known);
  return known;
}

function writtenOut(end: End): string {
  const labels = Object.entries(end.workload?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return `${endKey(end, "pod")} ${end.ip ?? ""} ${labels.sort().join(",")}`;
}

function edgeOf(sum: FlowSum): Edge {
  const { client, server, port, protocol, connections, flows, bytesOut, bytesIn, first, last, hours, encrypted } = sum;
  return {
    ...{ client, server, port, protocol, connections, flows, bytesOut, bytesIn, packetsOut: 0, packetsIn: 0 },
    ...{ first, last, hours, encrypted, results: { ...sum.results } },
    deniedBy: new Set(sum.deniedBy),
    processes: new Set(sum.processes),
    clear: new Set(sum.clear),
  };
}

type Counts = Pick<
  FlowSum,
  "connections" | "flows" | "bytesOut" | "bytesIn" | "encrypted" | "first" | "last" | "results"
>;

/** What is counted of an edge, at whatever grain. */
export function addCounts(edge: Counts, sum: Counts): void {
  edge.connections += sum.connections;
  edge.flows += sum.flows;
  edge.bytesOut += sum.bytesOut;
  edge.bytesIn += sum.bytesIn;
  edge.encrypted += sum.encrypted;
  edge.first = Math.min(edge.first, sum.first);
  edge.last = Math.max(edge.last, sum.last);
  for (const name of Object.keys(edge.results) as (keyof Counts["results"])[]) edge.results[name] += sum.results[name];
}

function add(edge: Edge, sum: FlowSum): void {
  addCounts(edge, sum);
  // The same hours may be in both: at least so many they were.
  edge.hours = Math.max(edge.hours, sum.hours);
  for (const word of sum.deniedBy) edge.deniedBy.add(word);
  for (const word of sum.processes) edge.processes.add(word);
  for (const word of sum.clear) edge.clear.add(word);
}
