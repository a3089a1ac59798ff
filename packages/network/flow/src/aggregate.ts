import { endText, type End, type Flow, type FlowProtocol, type FlowResult } from "./flow.ts";

export type Grain = "namespace" | "workload" | "pod";

/** All flows between two ends to one port. */
export interface Edge {
  readonly client: End;
  readonly server: End;
  readonly port: number;
  readonly protocol: FlowProtocol;
  connections: number;
  /** Records of flows, among them those that count no connection. */
  flows: number;
  bytesOut: number;
  bytesIn: number;
  packetsOut: number;
  packetsIn: number;
  readonly results: Record<FlowResult, number>;
  first: number;
  last: number;
  /** In how many hours it was seen, flows taken in the order of their time. */
  hours: number;
  /** Of these connections, those in TLS. */
  encrypted: number;
  readonly deniedBy: Set<string>;
  readonly processes: Set<string>;
  readonly clear: Set<string>;
}

export interface Aggregate {
  /** False when there is no room for another edge: the flow is lost, and counted. */
  add(flow: Flow): boolean;
  edges(): IterableIterator<Edge>;
  readonly size: number;
  /** Flows that found no room. */
  readonly lost: number;
}

const hour = 3_600_000;
const mostWords = 16;

/**
 * Flows by client, server, port and protocol. At the grain of pods an end is a pod with its labels; of workloads, what
 * owns it; of namespaces, that. Addresses outside stay apart at all grains, by name where they have one.
 */
export function createAggregate({
  grain = "workload",
  limit = 500_000,
}: { grain?: Grain; limit?: number } = {}): Aggregate {
  const edges = new Map<string, Edge>();
  let lost = 0;
  return {
    add(flow) {
      const key = `${endKey(flow.client, grain)}\n${endKey(flow.server, grain)}\n${flow.protocol}\n${flow.port}`;
      let edge = edges.get(key);
      if (!edge) {
        if (edges.size >= limit) {
          lost++;
          return false;
        }
        edge = edgeOf(flow);
        edges.set(key, edge);
      }
      count(edge, flow);
      return true;
    },
    edges: () => edges.values(),
    get size() {
      return edges.size;
    },
    get lost() {
      return lost;
    },
  };
}

/** What makes an end the same end at a grain. */
export function endKey(end: End, grain: Grain): string {
  const { workload } = end;
  if (!workload) return `${end.name ?? ""} ${end.ip ?? ""}`;
  if (grain === "namespace") return `${workload.namespace}/`;
  if (grain === "workload") return endText(end);
  const labels = Object.entries(workload.labels).map(([key, value]) => `${key}=${value}`);
  return `${workload.namespace}/${workload.name ?? ""}/${workload.pod ?? ""} ${labels.sort().join(",")}`;
}

function edgeOf({ client, server, port, protocol, first }: Flow): Edge {
  return {
    client,
    server,
    port,
    protocol,
    connections: 0,
    flows: 0,
    bytesOut: 0,
    bytesIn: 0,
    packetsOut: 0,
    packetsIn: 0,
    results: { established: 0, refused: 0, "timed-out": 0, denied: 0, unknown: 0 },
    first,
    last: first - hour,
    hours: 0,
    encrypted: 0,
    deniedBy: new Set(),
    processes: new Set(),
    clear: new Set(),
  };
}

function count(edge: Edge, flow: Flow): void {
  if (edge.hours === 0 || Math.floor(flow.first / hour) > Math.floor(edge.last / hour)) edge.hours++;
  edge.flows++;
  edge.connections += flow.connections;
  edge.bytesOut += flow.bytesOut;
  edge.bytesIn += flow.bytesIn;
  edge.packetsOut += flow.packetsOut;
  edge.packetsIn += flow.packetsIn;
  edge.results[flow.result] += Math.max(1, flow.connections);
  edge.first = Math.min(edge.first, flow.first);
  edge.last = Math.max(edge.last, flow.last);
  if (flow.tls) edge.encrypted += flow.connections;
  note(edge.deniedBy, flow.deniedBy);
  note(edge.processes, flow.process);
  note(edge.clear, flow.clear);
}

function note(words: Set<string>, word: string | null): void {
  if (word !== null && words.size < mostWords) words.add(word);
}
