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

/** By the mount namespace too: FIFOs of two file systems may have one inode number. */
type Place = string;

export function createPipes(): Pipes {
  const processes = new Map<string, Entry>();
  const readers = new Map<Place, Set<string>>();
  const writers = new Map<Place, Set<string>>();

  return {
    add(process) {
      const { key } = process;
      drop(key);
      if (!process.stdio.some(isPipe)) return;
      processes.set(key, process);
      for (const place of placesOf(process, [0])) put(readers, place, key);
      for (const place of placesOf(process, [1, 2])) put(writers, place, key);
      const oldest = processes.keys().next().value;
      if (processes.size > processesKept && oldest !== undefined) drop(oldest);
    },
    remove: (process) => drop(process.key),
    downstream: (process) => walk(process, [1, 2], [0], readers),
    upstream: (process) => walk(process, [0], [1, 2], writers),
  };

  /** From the ends in `from` to whoever is at the other end, and on from that one's own ends of the same side. */
  function* walk(process: Entry, from: number[], into: number[], others: Map<Place, Set<string>>): Generator<Entry> {
    const seen = new Set([process.key]);
    let front = [process];
    for (let step = 0; step < longest && front.length > 0; step++) {
      const next: Entry[] = [];
      for (const entry of front) {
        for (const place of placesOf(entry, from)) {
          for (const key of [...(others.get(place) ?? [])].slice(0, mostNeighbours)) {
            const other = processes.get(key);
            if (other === undefined || seen.has(key)) continue;
            seen.add(key);
            yield other;
            if (placesOf(other, into).length > 0) next.push(other);
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
    for (const place of placesOf(process, [0])) take(readers, place, key);
    for (const place of placesOf(process, [1, 2])) take(writers, place, key);
  }
}

/** Not Unix sockets: the two ends of one have numbers of their own, and who has the same number is at the same end. */
function placesOf({ stdio, mountNamespace }: Entry, descriptors: number[]): Place[] {
  const places = new Set<Place>();
  for (const fd of descriptors) {
    const found = stdio[fd];
    if (found !== undefined && isPipe(found)) places.add(`${mountNamespace}/${found.inode}`);
  }
  return [...places];
}

function isPipe({ mode }: Entry["stdio"][number]): boolean {
  return (mode & typeMask) === fifo;
}

function put(index: Map<Place, Set<string>>, place: Place, key: string): void {
  const keys = index.get(place);
  if (keys) keys.add(key);
  else index.set(place, new Set([key]));
}

function take(index: Map<Place, Set<string>>, place: Place, key: string): void {
  const keys = index.get(place);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(place);
}
