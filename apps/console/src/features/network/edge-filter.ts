import type { NetworkEdge } from "@bulwark/model";
import { encryptionOf, endName, verdictOf } from "./ends.ts";
import type { NetworkSearch } from "./search.ts";

export type EdgeFilter = Pick<NetworkSearch, "namespace" | "q" | "verdict" | "encryption" | "fresh" | "port">;

/** Edges that fit; of the text every word must be in one of the ends, a process, or who denied it. */
export function filterEdges(edges: readonly NetworkEdge[], filter: EdgeFilter): NetworkEdge[] {
  const { namespace, verdict, encryption, fresh, port } = filter;
  const words = (filter.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return edges.filter(
    (edge) =>
      (namespace === undefined ||
        edge.client.workload?.namespace === namespace ||
        edge.server.workload?.namespace === namespace) &&
      (verdict === undefined || verdictOf(edge) === verdict) &&
      (encryption === undefined || encryptionOf(edge) === encryption) &&
      (fresh === undefined || edge.isNew) &&
      (port === undefined || edge.ports.some((one) => portText(one) === port)) &&
      words.every((word) => textOf(edge).includes(word)),
  );
}

const texts = new WeakMap<NetworkEdge, string>();

function textOf(edge: NetworkEdge): string {
  let text = texts.get(edge);
  if (text === undefined) {
    const { client, server, processes, deniedBy, ports } = edge;
    const ends = [client, server].flatMap((end) => [endName(end), end.key, end.ip ?? ""]);
    text = [...ends, ...processes, ...deniedBy, ...ports.map(portText)].join("\n").toLowerCase();
    texts.set(edge, text);
  }
  return text;
}

/** `5432/TCP`. */
export function portText({ port, protocol }: { port: number; protocol: string }): string {
  return protocol === "ICMP" ? protocol : `${port}/${protocol}`;
}

/** The words to choose from, most used first. */
export function portsOf(edges: readonly NetworkEdge[], most = 40): string[] {
  const counts = new Map<string, number>();
  for (const { ports } of edges) for (const one of ports) add(counts, portText(one), 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, most)
    .map(([text]) => text);
}

/** In order of the alphabet. */
export function namespacesOf(edges: readonly NetworkEdge[]): string[] {
  const names = new Set<string>();
  for (const { client, server } of edges) {
    for (const { workload } of [client, server])
      if (workload && workload.namespace !== "") names.add(workload.namespace);
  }
  return [...names].sort();
}

function add(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
