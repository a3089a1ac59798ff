import type { End, Flow } from "@bulwark/flow";
import { networkEndKey, type FlowHour, type FlowReport } from "@bulwark/model";

/** Edges between two reports. What is beyond is lost, and counted. */
const mostEdges = 10_000;
/** Addresses outside that one port of a workload, or one workload on one port, is told to have had to do with. */
const mostStrangers = 256;
/** Of one record. */
const flowsAtOnce = 500;
const mostWords = 16;
const hour = 3_600_000;

/** As the kernel side numbers the directions (`enum net_direction`). */
export const ingress = "2";

type Words = "tls" | "clear" | "processes" | "deniedBy";
type Sum = Omit<FlowHour, Words> & { readonly [W in Words]: Set<string> };

/** What this node saw of its flows since it last told of them, by both ends, port and protocol, within an hour. */
export class FlowReports {
  readonly #node: string;
  readonly #sums = new Map<string, Sum>();
  /** By who had to do with them. */
  readonly #strangers = new Map<string, Set<string>>();
  #from: number | undefined;
  #lost = 0;
  readonly counters = { reported: 0, "lost.room": 0, folded: 0 };

  constructor(node: string) {
    this.#node = node;
  }

  /** From now on it is known what containers say. */
  begin(now: number): void {
    this.#from ??= now;
  }

  get waiting(): number {
    return this.#sums.size;
  }

  /** `deniedBy`: the policy by its name. Questions to name servers are no flows of their own. */
  add(flow: Flow, deniedBy: string | null): void {
    if (flow.dns) return;
    const side = this.#sideOf(flow);
    const [client, server] = this.#known(flow, side);
    const at = Math.floor(flow.last / hour) * hour;
    const ends = [client, server].map((end) => `${networkEndKey(end, "pod")} ${end.ip ?? ""}`).join("\n");
    const key = `${ends}\n${at} ${side} ${flow.port} ${flow.protocol}`;
    let sum = this.#sums.get(key);
    if (!sum) {
      if (this.#sums.size >= mostEdges) {
        this.lose(1);
        return;
      }
      sum = begun(flow, side, client, server, at);
      this.#sums.set(key, sum);
    }
    count(sum, flow);
    note(sum.deniedBy, deniedBy);
  }

  /** So many flows are not known. */
  lose(flows: number): void {
    this.#lost += flows;
    this.counters["lost.room"] += flows;
  }

  /** What is to be told of the time until now; nothing where nobody watched. */
  take(now: number): FlowReport[] {
    const from = this.#from;
    if (from === undefined) return [];
    const flows = Array.from(this.#sums.values(), toFlow);
    const [lost, until] = [this.#lost, Math.max(from, now)];
    this.#sums.clear();
    this.#strangers.clear();
    this.#lost = 0;
    this.#from = until;
    this.counters.reported += flows.length;
    const parts = Math.max(1, Math.ceil(flows.length / flowsAtOnce));
    return Array.from({ length: parts }, (_, index) => ({
      ...{ node: this.#node, from, until, lost: index === 0 ? lost : 0 },
      flows: flows.slice(index * flowsAtOnce, (index + 1) * flowsAtOnce),
    }));
  }

  /** Nobody watches any more. */
  end(now: number): FlowReport[] {
    const reports = this.take(now);
    this.#from = undefined;
    return reports;
  }

  /** What was denied on its way in is told by the server's side, also where this node is the client's too. */
  #sideOf({ client, server, deniedBy }: Flow): "client" | "server" {
    if (deniedBy === ingress && server.workload?.node === this.#node) return "server";
    return client.workload?.node !== this.#node && server.workload?.node === this.#node ? "server" : "client";
  }

  /** Beyond so many strangers they are one: who they are helps nobody, and there is no end of them. */
  #known({ client, server, port, protocol }: Flow, side: "client" | "server"): [End, End] {
    const [own, peer] = side === "client" ? [client, server] : [server, client];
    if (!own.workload || peer.workload || peer.name !== null || peer.ip === null) return [client, server];
    const key = `${side} ${networkEndKey(own, "pod")} ${port} ${protocol}`;
    const strangers = this.#strangers.get(key) ?? new Set();
    this.#strangers.set(key, strangers);
    if (strangers.has(peer.ip)) return [client, server];
    if (strangers.size < mostStrangers) {
      strangers.add(peer.ip);
      return [client, server];
    }
    this.counters.folded++;
    const anybody: End = { workload: null, ip: null, name: null };
    return side === "client" ? [client, anybody] : [anybody, server];
  }
}

function begun(flow: Flow, side: Sum["side"], client: End, server: End, at: number): Sum {
  return {
    ...{ hour: at, side, client: { ...client }, server: { ...server }, port: flow.port, protocol: flow.protocol },
    ...{ connections: 0, flows: 0, bytesOut: 0, bytesIn: 0, encrypted: 0, credential: false },
    results: { established: 0, refused: 0, "timed-out": 0, denied: 0, unknown: 0 },
    ...{ tls: new Set(), clear: new Set(), processes: new Set(), deniedBy: new Set() },
    ...{ first: Math.round(flow.first), last: Math.round(flow.last) },
  };
}

function count(sum: Sum, flow: Flow): void {
  sum.flows++;
  sum.connections += flow.connections;
  sum.bytesOut += flow.bytesOut;
  sum.bytesIn += flow.bytesIn;
  sum.results[flow.result] += flow.connections;
  if (flow.tls) sum.encrypted += flow.connections;
  sum.credential ||= flow.credential;
  sum.first = Math.min(sum.first, Math.round(flow.first));
  sum.last = Math.max(sum.last, Math.round(flow.last));
  note(sum.tls, flow.tls?.version ?? null);
  note(sum.clear, flow.clear);
  note(sum.processes, flow.process);
}

function note(words: Set<string>, word: string | null): void {
  if (word !== null && words.size < mostWords) words.add(word.slice(0, 256));
}

function toFlow(sum: Sum): FlowHour {
  const { tls, clear, processes, deniedBy } = sum;
  return { ...sum, tls: [...tls], clear: [...clear], processes: [...processes], deniedBy: [...deniedBy] };
}
