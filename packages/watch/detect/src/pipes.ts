import type { Entry } from "./process-table.ts";

/** Who is at which end of the pipes and FIFOs that standard descriptors are, with a bound. */
export interface Pipes {
  add(process: Entry): void;
  remove(process: Entry): void;
  /** Processes that read what this one writes, and on through those that pass on what they read. Nearest first. */
  downstream(process: Entry): Iterable<Entry>;
  /** Processes that write what this one reads, and on. */
  upstream(process: Entry): Iterable<Entry>;
}

const processesKept = 20_000;
/** Programs between: `cat f | sed … | sh` has two. */
const longest = 6;
const mostNeighbours = 64;

const typeMask = 0o170_000;
const fifo = 0o010_000;

/** Descriptors. */
type Side = readonly number[];
const input: Side = [0];
const output: Side = [1, 2];

export function createPipes(): Pipes {
  const processes = new Map<string, Entry>();
  /** Keys of processes by the inode of a pipe. */
  const readers = new Map<number, Set<string>>();
  const writers = new Map<number, Set<string>>();

  return {
    add(process) {
      const { key } = process;
      const before = processes.get(key);
      // A program that begins has mostly what its process had.
      if (before !== undefined && hasSameEnds(before, process)) {
        processes.delete(key);
        processes.set(key, process);
        return;
      }
      drop(key);
      if (!process.stdio.some(isPipe)) return;
      processes.set(key, process);
      for (const fd of input) put(readers, pipeAt(process, fd), key);
      for (const fd of output) put(writers, pipeAt(process, fd), key);
      if (processes.size <= processesKept) return;
      const oldest = processes.keys().next().value;
      if (oldest !== undefined) drop(oldest);
    },
    remove: (process) => drop(process.key),
    downstream: (process) => walk(process, output, input, readers),
    upstream: (process) => walk(process, input, output, writers),
  };

  /** From the ends in `from` to whoever is at the other end, and on from that one's own ends of the same side. */
  function* walk(process: Entry, from: Side, into: Side, others: Map<number, Set<string>>): Generator<Entry> {
    const seen = new Set([process.key]);
    let front = [process];
    for (let step = 0; step < longest && front.length > 0; step++) {
      const next: Entry[] = [];
      for (const entry of front) {
        for (const fd of from) {
          let neighbours = 0;
          for (const key of others.get(pipeAt(entry, fd)) ?? []) {
            const other = processes.get(key);
            // FIFOs of two file systems may have one number.
            if (other === undefined || other.mountNamespace !== entry.mountNamespace) continue;
            if (++neighbours > mostNeighbours) break;
            if (seen.has(key)) continue;
            seen.add(key);
            yield other;
            if (into.some((end) => pipeAt(other, end) !== noPipe)) next.push(other);
          }
        }
      }
      front = next;
    }
  }

  function drop(key: string): void {
    const process = processes.get(key);
    if (process === undefined) return;
    processes.delete(key);
    for (const fd of input) take(readers, pipeAt(process, fd), key);
    for (const fd of output) take(writers, pipeAt(process, fd), key);
  }
}

const noPipe = -1;

/** Not Unix sockets: the two ends of one have numbers of their own, and who has the same number is at the same end. */
function pipeAt({ stdio }: Entry, fd: number): number {
  const found = stdio[fd];
  return found !== undefined && isPipe(found) ? found.inode : noPipe;
}

function hasSameEnds(a: Entry, b: Entry): boolean {
  return [...input, ...output].every((fd) => pipeAt(a, fd) === pipeAt(b, fd));
}

function isPipe({ mode }: Entry["stdio"][number]): boolean {
  return (mode & typeMask) === fifo;
}

function put(index: Map<number, Set<string>>, inode: number, key: string): void {
  if (inode === noPipe) return;
  const keys = index.get(inode);
  if (keys) keys.add(key);
  else index.set(inode, new Set([key]));
}

function take(index: Map<number, Set<string>>, inode: number, key: string): void {
  const keys = index.get(inode);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(inode);
}
