import type { ProcessMemory } from "@bulwark/rules";
import type { ProcessRecord, SensorRecord } from "@bulwark/sensor";
import { Names } from "./names.ts";

/** A process as the table knows it: of the last exec, with the identity of the last fork or exec. */
export type Entry = Omit<ProcessRecord, "type" | "sequence" | "time"> & {
  /** What names it for good: its number and its start. */
  key: string;
  /** Peers that the process has connected to, latest last: `192.0.2.7:4444`. */
  peers: string[];
  /**
   * It came into the container from outside and has begun no program there yet: the runtime, which sets the container
   * up or is about to execute a command in it. What it does until then is no deed of the container.
   */
  isRuntime: boolean;
  /** Where the service of the host lives that it comes from, and that it is of as long as its programs begin there. */
  service: Place | undefined;
  /** Milliseconds, by the clock of `apply`, at which its end was seen; 0 while it lives. */
  endedAt: number;
  /** What rules have found out about it; empty again with every program that it begins. */
  memory: ProcessMemory;
};

/** A service of the host may live in a mount namespace of its own: runtimes do, of a snap or of a node of several. */
interface Place {
  mountNamespace: number;
  pidNamespace: number;
}

const peersKept = 16;
/** Milliseconds that who ended without children may still be asked for: what other parts of the kernel tell comes later. */
const keptAlone = 5000;
/** CLONE_PARENT of clone(2): its parent is the one of who made it, whose program it runs. */
const cloneParent = 0x8000n;
/** Of most processes: a new array comes with the first. */
const none: string[] = [];

/**
 * Every process that the sensor has told of, so that an event can name its ancestors although they have ended. Bounded:
 * ended processes go after `keep` milliseconds, those that have no children much sooner, and above `limit` entries the ones
 * that ended first, then the oldest.
 */
export class ProcessTable {
  readonly #entries = new Map<string, Entry>();
  /** In the order of their end. */
  readonly #ended = new Queue<Entry>();
  /** Of these, those that had children when they were looked at. */
  readonly #endedParents = new Queue<Entry>();
  /** The process that had a number at last. */
  readonly #latest = new Map<number, Entry>();
  readonly #children = new Map<string, Set<string>>();
  readonly #limit: number;
  readonly #keep: number;
  /** Entries that were given up because the table was full. */
  evicted = 0;
  /** By which names they know their peers. */
  readonly names = new Names();

  readonly #isHost: (cgroups: readonly string[]) => boolean;

  /** `isHost`: whether a process of these cgroups is certainly the host's. */
  constructor(options: { limit?: number; keep?: number; isHost?: (cgroups: readonly string[]) => boolean } = {}) {
    this.#limit = options.limit ?? 200_000;
    this.#keep = options.keep ?? 60_000;
    this.#isHost = options.isHost ?? (() => false);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Takes in what a record says and answers with the process it is about. `now`: milliseconds, by a clock that only goes on. */
  apply(record: SensorRecord, now: number): Entry | undefined {
    this.#forget(now);
    switch (record.type) {
      case "exec":
      case "snapshot":
        return this.#put(this.#begun(record));
      case "fork":
        return this.#put(this.#forked(record));
      case "exit": {
        const entry = this.get(record.pid, record.startTime);
        if (entry && entry.endedAt === 0) {
          entry.endedAt = now;
          this.#ended.push(entry);
        }
        return entry;
      }
      case "connect": {
        const entry = this.get(record.pid, record.startTime);
        if (entry) entry.peers = [...entry.peers, addressText(record.remote)].slice(-peersKept);
        return entry;
      }
      case "accept":
      case "loss":
      case "ready":
        return undefined;
      case "dns":
        this.names.learn(record);
        return this.get(record.pid, record.startTime);
      default:
        return record.startTime === 0n ? this.latest(record.pid) : this.get(record.pid, record.startTime);
    }
  }

  /** Who had this number at last, for the few records that know nothing else of a process. */
  latest(pid: number): Entry | undefined {
    return this.#latest.get(pid);
  }

  /** A number is used again after its process ended; together with the start it names one process. */
  get(pid: number, startTime: bigint): Entry | undefined {
    const latest = this.#latest.get(pid);
    return latest?.startTime === startTime ? latest : this.#entries.get(keyOf(pid, startTime));
  }

  parent(entry: Entry): Entry | undefined {
    return this.get(entry.parentPid, entry.parentStartTime);
  }

  /** Of those that live. */
  children(entry: Entry): Entry[] {
    const keys = this.#children.get(entry.key) ?? [];
    return [...keys].flatMap((key) => {
      const child = this.#entries.get(key);
      return child !== undefined && child.endedAt === 0 ? [child] : [];
    });
  }

  /** Nearest first. */
  ancestors(entry: Entry, limit = 32): Entry[] {
    const found: Entry[] = [];
    for (let at = this.parent(entry); at && found.length < limit && !found.includes(at); at = this.parent(at)) {
      found.push(at);
    }
    return found;
  }

  #begun(record: ProcessRecord): Entry {
    const before = this.get(record.pid, record.startTime);
    const { mountNamespace, pidNamespace } = record;
    const isHost = this.#isHost(record.cgroups);
    const from = (before ?? this.get(record.parentPid, record.parentStartTime))?.service;
    const isThere = from?.mountNamespace === mountNamespace && from.pidNamespace === pidNamespace;
    // Of a source that does not tell namespaces nobody is known to have left them.
    const isKnown = mountNamespace !== 0;
    const service = !isKnown ? undefined : isThere ? from : isHost ? { mountNamespace, pidNamespace } : undefined;
    // A runtime that is in the container's cgroup already, and begins itself once more before it goes where that lives.
    const isRuntime = service !== undefined && !isHost;
    const key = before?.key ?? keyOf(record.pid, record.startTime);
    return { ...record, key, peers: before?.peers ?? none, isRuntime, service, endedAt: 0, memory: {} };
  }

  /** A forked process runs its parent's program until it execs one of its own. */
  #forked(record: ProcessRecord): Entry {
    const parent = this.get(record.parentPid, record.parentStartTime);
    const key = keyOf(record.pid, record.startTime);
    const isCopy = parent !== undefined && (record.cloneFlags & cloneParent) === 0n;
    if (!isCopy) return { ...record, key, peers: none, isRuntime: true, service: undefined, endedAt: 0, memory: {} };
    const {
      executable,
      filename,
      interpreter,
      arguments: words,
      argumentsCut,
      workingDirectory,
      origin,
      peers,
      service,
    } = parent;
    const { executableInode, executableMode, executableUid, environment } = parent;
    const cgroups = record.cgroups.length > 0 ? record.cgroups : parent.cgroups;
    return {
      ...record,
      key,
      cgroups,
      executable,
      executableInode,
      executableMode,
      executableUid,
      filename,
      interpreter,
      arguments: words,
      argumentsCut,
      workingDirectory,
      origin,
      ...(environment && { environment }),
      peers,
      isRuntime: parent.isRuntime || (service !== undefined && !this.#isHost(cgroups)),
      service,
      endedAt: 0,
      memory: {},
    };
  }

  #put(entry: Entry): Entry {
    const { key } = entry;
    this.#entries.set(key, entry);
    this.#latest.set(entry.pid, entry);
    const parent = this.#parentKey(entry);
    const siblings = this.#children.get(parent);
    if (siblings) siblings.add(key);
    else this.#children.set(parent, new Set([key]));
    while (this.#entries.size > this.#limit) {
      const oldest = (this.#endedParents.take() ?? this.#ended.take())?.key ?? this.#entries.keys().next().value;
      if (oldest !== undefined && this.#drop(oldest)) this.evicted++;
    }
    return entry;
  }

  #parentKey(entry: Entry): string {
    return this.parent(entry)?.key ?? keyOf(entry.parentPid, entry.parentStartTime);
  }

  #drop(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    if (this.#latest.get(entry.pid) === entry) this.#latest.delete(entry.pid);
    const parent = this.#parentKey(entry);
    const siblings = this.#children.get(parent);
    siblings?.delete(key);
    if (siblings?.size === 0) this.#children.delete(parent);
    return this.#entries.delete(key);
  }

  #forget(now: number): void {
    const alone = Math.min(keptAlone, this.#keep);
    for (let entry = this.#ended.first; entry && now - entry.endedAt >= alone; entry = this.#ended.first) {
      this.#ended.take();
      if (this.#children.has(entry.key)) this.#endedParents.push(entry);
      else this.#drop(entry.key);
    }
    const keep = this.#keep;
    for (let entry = this.#endedParents.first; entry && now - entry.endedAt >= keep; entry = this.#endedParents.first) {
      this.#endedParents.take();
      this.#drop(entry.key);
    }
  }
}

/** Taking the first from an array would move all the others. */
class Queue<Item> {
  readonly #items: Item[] = [];
  #first = 0;

  get first(): Item | undefined {
    return this.#items[this.#first];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  take(): Item | undefined {
    const { first } = this;
    if (first === undefined) return undefined;
    this.#first++;
    if (this.#first > 1024 && this.#first * 2 > this.#items.length) {
      this.#items.splice(0, this.#first);
      this.#first = 0;
    }
    return first;
  }
}

export function addressText({ ip, port }: { ip: string; port: number }): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function keyOf(pid: number, startTime: bigint): string {
  return `${pid}/${startTime}`;
}
