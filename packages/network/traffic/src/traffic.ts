import { flowOf, type Directory, type End, type Flow, type Workload } from "@bulwark/flow";
import {
  answerCode,
  questionName,
  type DnsRecord,
  type FlowRecord,
  type OpeningRecord,
  type TrafficRecord,
} from "@bulwark/sensor";
import { spokenIn, together, type Spoken } from "./openings/index.ts";
import { networkOf } from "./network-of.ts";
import { createRecent } from "./recent.ts";
import { partsOf, protocolOf } from "./results.ts";

/** Whose a socket is; null: the host's, which is not told of. Undefined: not known yet. */
export type Owner = Known | null | undefined;
interface Known {
  readonly workload: Workload;
  readonly process: string | null;
  /** When its container started, ms since the epoch, where that is known: its addresses are its own from then on. */
  readonly since?: number | undefined;
}

export interface TrafficOptions {
  /** By the process whose socket it is. */
  ownerOf(pid: number, startTime: bigint): Owner;
  /** Time of the kernel to milliseconds since the epoch. */
  epochMs(time: bigint): number;
  /** Workloads of addresses. Those of this machine it is told by `know`, and learns from their own traffic. */
  directory: Directory;
  /** The network namespace of the host, whose addresses are of no workload. */
  hostNetwork: number;
  /** `pid` and `startTime`: whose socket it is at this end; 0 where that is not known. */
  emit(flow: Flow, socket: { readonly pid: number; readonly startTime: bigint }): void;
  now?(): number;
}

export interface TrafficCounters {
  flows: number;
  /** Flows whose workload was not found in time; told without it. */
  unknown: number;
  /** What was spoken or named, forgotten for want of room. */
  forgotten: number;
}

export interface Traffic {
  /** A container runs: its addresses are its workload's from then on, ms since the epoch. */
  know(workload: Workload, pid: number, since: number): void;
  /** Takes in what the sensor tells, in its order. */
  take(records: readonly TrafficRecord[]): void;
  /** Tells what has waited for long enough; to be called when containers have come, and a few times a second. */
  settle(): void;
  /** Tells what waits still, with what is known now. */
  end(): void;
  readonly counters: TrafficCounters;
}

/** Milliseconds that a flow waits for its workload to be known, and for what the other end says of it. */
const patience = 3000;
const breath = 100;
const mostWaiting = 20_000;
const mostSpoken = 65_536;
const mostNames = 65_536;
const mostNamespaces = 8192;

interface Waiting {
  readonly record: FlowRecord | DnsRecord;
  readonly since: number;
}

/**
 * From what the kernel counted to flows between workloads, as they were then. Of a connection between two containers of this
 * machine, which the kernel sees at both ends, the client's end tells; the server's tells what it denied, which its client saw as never
 * answered.
 */
export function createTraffic(options: TrafficOptions): Traffic {
  const { directory, hostNetwork } = options;
  const spoken = createRecent<Spoken>(mostSpoken);
  /** By network namespace and address: containers see the answers that they asked for, and no others. */
  const names = createRecent<string>(mostNames);
  const lastPorts = createRecent<number>(mostSpoken);
  const owners = createRecent<Known>(mostNamespaces);
  /** Which network namespace of this machine has an address, whose that is where it is known, and since when. */
  const addresses = createRecent<{ network: number; workload: Workload | null; since: number }>(mostNames);
  const counters: TrafficCounters = { flows: 0, unknown: 0, forgotten: 0 };
  let waiting: Waiting[] = [];
  const now = (): number => options.now?.() ?? Date.now();

  function ownerOf({ pid, startTime, networkNamespace }: FlowRecord | DnsRecord): Owner {
    const known = pid === 0 ? undefined : options.ownerOf(pid, startTime);
    if (known) owners.set(String(networkNamespace), known);
    if (known !== undefined || networkNamespace === hostNetwork) return known;
    const owner = owners.get(String(networkNamespace));
    return owner && { ...owner, process: null };
  }

  function hear(record: OpeningRecord): void {
    const key = spokenKey(record, record.remote.ip, record.role === "server" ? record.local.port : record.remote.port);
    const heard = spokenIn(record.bytes, record.fromClient);
    spoken.set(key, together(spoken.get(key), heard));
  }

  function tell(record: FlowRecord | DnsRecord, owner: Owner): void {
    if (owner === null) return;
    if (!owner) counters.unknown++;
    if (record.type === "dns") tellAnswer(record, owner?.workload ?? null);
    else tellFlow(record, owner?.workload ?? null, owner?.process ?? null);
  }

  function emit(flow: Flow, { pid, startTime }: FlowRecord | DnsRecord): void {
    counters.flows++;
    options.emit(directory.resolve(flow), { pid, startTime });
  }

  function tellAnswer(record: DnsRecord, workload: Workload | null): void {
    const { networkNamespace, name, kind, code, answers, client, server, protocol, time } = record;
    const found = answers.filter((answer) => /^[\d.]+$|:/.test(answer));
    for (const address of found) names.set(`${networkNamespace} ${address}`, name);
    emit(
      flowOf({
        client: { workload, ip: client.ip, name: null },
        server: { workload: null, ip: server.ip, name: null },
        clientPort: client.port,
        port: server.port,
        protocol,
        first: options.epochMs(time),
        result: "established",
        connections: 0,
        dns: { name, type: questionName(kind), code: answerCode(code), addresses: found },
      }),
      record,
    );
  }

  function tellFlow(record: FlowRecord, workload: Workload | null, process: string | null): void {
    const { networkNamespace, local, remote, port, role, name, policy } = record;
    const isServer = role === "server";
    const holder = addresses.get(remote)?.network;
    const isOwn = isLoopback(remote) || remote === local;
    // The client's end tells, but of what the server's end did not let in.
    const isTold = isServer && (isOwn || (holder !== undefined && holder !== networkNamespace));
    const here: End = { workload, ip: local, name: null };
    const known = isOwn ? null : (names.get(`${networkNamespace} ${remote}`) ?? null);
    const peer: End = { workload: isOwn ? workload : null, ip: remote, name: isServer ? null : known };
    const protocol = protocolOf(record);
    const key = spokenKey(record, remote, port);
    const heard = spoken.get(key) ?? {};
    const portKey = `${key} ${name}`;
    const continues = lastPorts.get(portKey) === record.firstClientPort;
    if (protocol !== "TCP") lastPorts.set(portKey, record.clientPort);
    for (const part of partsOf(record, continues)) {
      const { result, encrypted, ...counts } = part;
      if (isTold && result !== "denied") continue;
      const isTls = encrypted || (result === "established" && counts.connections === 0 && heard.tls !== undefined);
      const unseen = protocol === "UDP" ? { version: "1.3", serverName: null } : { version: null, serverName: null };
      emit(
        flowOf({
          ...counts,
          client: isServer ? peer : here,
          server: isServer ? here : peer,
          clientPort: record.begun === 1 ? record.clientPort || record.firstClientPort || null : null,
          port,
          protocol,
          process: isServer ? null : (process ?? (name === "" ? null : name)),
          result,
          deniedBy: result === "denied" && policy > 0 ? String(policy) : null,
          first: options.epochMs(record.first),
          last: options.epochMs(record.last),
          tls: isTls ? (heard.tls ?? unseen) : null,
          clear: result !== "established" || isTls ? null : (heard.clear ?? null),
          credential: result === "established" && !isTls && heard.credential === true,
        }),
        record,
      );
    }
  }

  /**
   * Whose an address is on this machine: told before anything is judged, as the ends of one connection come in any order. The
   * client's first packet went before the server saw one, hence the container's start rather than its first packet.
   */
  function learn({ local, networkNamespace, first }: FlowRecord, owner: Owner): void {
    if (isLoopback(local) || isNone(local)) return;
    const known = addresses.get(local);
    // Of whom it is not known when they started, the first stays: those who share a namespace would take turns.
    if (known?.network === networkNamespace && known.workload && owner?.since === undefined) return;
    own(owner?.workload ?? null, networkNamespace, local, owner?.since ?? options.epochMs(first));
  }

  function own(workload: Workload | null, networkNamespace: number, ip: string, since: number): void {
    if (networkNamespace === hostNetwork) return;
    const known = addresses.get(ip);
    if (known?.network === networkNamespace) {
      if (!workload) return;
      // The kernel gives the number of a namespace that has gone to the next: whoever started later is another.
      if (known.workload && (isSame(known.workload, workload) || since <= known.since)) return;
    }
    addresses.set(ip, { network: networkNamespace, workload, since });
    if (workload) directory.know(workload, [ip], since);
  }

  return {
    know(workload, pid, since) {
      const network = networkOf(pid);
      if (!network || network.namespace === hostNetwork) return;
      owners.set(String(network.namespace), { workload, process: null, since });
      for (const ip of network.addresses) own(workload, network.namespace, ip, since);
    },
    take(records) {
      const since = now();
      for (const record of records) {
        if (record.type === "opening") {
          hear(record);
          continue;
        }
        if (record.type === "flow") learn(record, ownerOf(record));
        if (waiting.length < mostWaiting) waiting.push({ record, since });
        else tell(record, ownerOf(record));
      }
    },
    settle() {
      const time = now();
      const before = waiting;
      waiting = [];
      for (const item of before) {
        const { record, since } = item;
        const owner = ownerOf(record);
        if (record.type === "flow") learn(record, owner);
        if (time - since >= (owner === undefined ? patience : breath)) tell(record, owner);
        else waiting.push(item);
      }
    },
    end() {
      for (const { record } of waiting) tell(record, ownerOf(record));
      waiting = [];
    },
    get counters() {
      return { ...counters, forgotten: spoken.forgotten + names.forgotten };
    },
  };
}

function spokenKey(record: FlowRecord | OpeningRecord, remote: string, port: number): string {
  const { networkNamespace, role, protocol } = record;
  return `${networkNamespace} ${role} ${protocol} ${remote} ${port}`;
}

function isSame(a: Workload, b: Workload): boolean {
  return a.namespace === b.namespace && a.pod === b.pod && a.name === b.name;
}

function isLoopback(ip: string): boolean {
  return ip === "::1" || ip.startsWith("127.");
}

function isNone(ip: string): boolean {
  return ip === "::" || ip === "0.0.0.0";
}
