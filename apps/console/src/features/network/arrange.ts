/** A place in a grid whose columns follow the traffic: who asks stands left of who answers. */
interface Slot {
  column: number;
  /** A half where a column with fewer rows stands in the middle. */
  row: number;
}
export type Slots = ReadonlyMap<string, Slot>;

export interface Pair {
  from: string;
  to: string;
}

export interface ArrangeOptions {
  /** How many rows a column may have, for `count` nodes. */
  rows: (count: number) => number;
  /** Stand left of all others, and right of them. */
  first?: ReadonlySet<string>;
  last?: ReadonlySet<string>;
}

const mostLevels = 6;
const rounds = 60;
const sweeps = 4;

/**
 * Gives each node a slot. The same nodes and pairs give the same slots. With `before`, who has a slot keeps it, whoever comes
 * or goes; who is new stands at the end of the column where its peers would have it.
 */
export function arrange(
  ids: readonly string[],
  pairs: readonly Pair[],
  options: ArrangeOptions,
  before: Slots = new Map(),
): Slots {
  const known = ids.filter((id) => before.has(id));
  if (known.length * 2 < ids.length || known.length === 0) return arrangeAnew(ids, pairs, options);
  return addTo(before, ids, pairs, options);
}

function arrangeAnew(ids: readonly string[], pairs: readonly Pair[], options: ArrangeOptions): Slots {
  const { first = none, last = none } = options;
  const own = ids.filter((id) => !first.has(id) && !last.has(id));
  const levels = levelsOf(own, pairs);
  const middle = columnsOf(own, levels, Math.max(1, Math.ceil(options.rows(own.length))));
  const ends = (side: ReadonlySet<string>): string[][] => {
    const found = ids.filter((id) => side.has(id)).sort();
    return found.length === 0 ? [] : [found];
  };
  const columns = [...ends(first), ...middle, ...ends(last)];
  order(columns, pairs);
  const highest = Math.max(0, ...columns.map((column) => column.length));
  const slots = new Map<string, Slot>();
  for (const [column, nodes] of columns.entries()) {
    const start = (highest - nodes.length) / 2;
    for (const [index, id] of nodes.entries()) slots.set(id, { column, row: start + index });
  }
  return slots;
}

const none: ReadonlySet<string> = new Set();

/**
 * How far along the traffic a node stands: the levels that bring each server closest to one after its clients, in the sense
 * of least squares (trophic levels: MacKay, Johnson and Sansom, "How directed is a directed network?", 2020). Circles
 * and both directions are no trouble.
 */
function levelsOf(ids: readonly string[], pairs: readonly Pair[]): Map<string, number> {
  const index = new Map(ids.map((id, at) => [id, at]));
  const out: number[][] = ids.map(() => []);
  const into: number[][] = ids.map(() => []);
  for (const { from, to } of pairs) {
    const [a, b] = [index.get(from), index.get(to)];
    if (a === undefined || b === undefined || a === b) continue;
    out[a]?.push(b);
    into[b]?.push(a);
  }
  const level = ids.map(() => 0);
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < ids.length; at++) {
      const [servers, clients] = [out[at] ?? [], into[at] ?? []];
      const peers = servers.length + clients.length;
      if (peers === 0) continue;
      let wanted = 0;
      for (const one of servers) wanted += (level[one] ?? 0) - 1;
      for (const one of clients) wanted += (level[one] ?? 0) + 1;
      level[at] = wanted / peers;
    }
  }
  const lowest = level.reduce((least, one) => Math.min(least, one), Infinity);
  return new Map(ids.map((id, at) => [id, (level[at] ?? 0) - lowest]));
}

/** Nodes of one level stand in one column; in several, where there are more than fit. */
function columnsOf(ids: readonly string[], levels: ReadonlyMap<string, number>, rows: number): string[][] {
  const highest = ids.reduce((most, id) => Math.max(most, levels.get(id) ?? 0), 0);
  const squeeze = highest > mostLevels - 1 ? (mostLevels - 1) / highest : 1;
  const byLevel = new Map<number, string[]>();
  const sorted = [...ids].sort((a, b) => (levels.get(a) ?? 0) - (levels.get(b) ?? 0) || (a < b ? -1 : 1));
  for (const id of sorted) {
    const level = Math.round((levels.get(id) ?? 0) * squeeze);
    const nodes = byLevel.get(level);
    if (nodes) nodes.push(id);
    else byLevel.set(level, [id]);
  }
  return [...byLevel.values()].flatMap((nodes) => {
    const parts = Math.ceil(nodes.length / rows);
    const each = Math.ceil(nodes.length / parts);
    return Array.from({ length: parts }, (_, part) => nodes.slice(part * each, (part + 1) * each));
  });
}

/** Within its column each node moves towards the rows of its peers, so that fewer lines cross. */
function order(columns: string[][], pairs: readonly Pair[]): void {
  const peers = new Map<string, string[]>();
  const note = (id: string, peer: string): void => {
    const known = peers.get(id);
    if (known) known.push(peer);
    else peers.set(id, [peer]);
  };
  for (const { from, to } of pairs) {
    if (from === to) continue;
    note(from, to);
    note(to, from);
  }
  for (const column of columns) column.sort();
  const at = new Map<string, number>();
  const look = (column: string[]): void => {
    for (const [index, id] of column.entries()) at.set(id, index + 0.5 - column.length / 2);
  };
  for (const column of columns) look(column);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const column of sweep % 2 === 0 ? columns : columns.toReversed()) {
      const wanted = new Map(column.map((id) => [id, mean((peers.get(id) ?? []).map((peer) => at.get(peer) ?? 0))]));
      column.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || (a < b ? -1 : 1));
      look(column);
    }
  }
}

function addTo(before: Slots, ids: readonly string[], pairs: readonly Pair[], options: ArrangeOptions): Slots {
  const { first = none, last = none } = options;
  const slots = new Map(before);
  const ends = new Map<number, number>();
  for (const { column, row } of slots.values()) ends.set(column, Math.max(ends.get(column) ?? row, row));
  const columnOf = (side: ReadonlySet<string>): number | undefined =>
    [...side].map((id) => slots.get(id)?.column).find((column) => column !== undefined);
  const [lowest, highest] = [Math.min(...ends.keys()), Math.max(...ends.keys())];
  const [left, right] = [columnOf(first) ?? lowest - 1, columnOf(last) ?? highest + 1];
  const [least, most] = [left + 1, Math.max(left + 1, right - 1)];
  for (const id of ids.filter((one) => !slots.has(one)).sort()) {
    const wanted = pairs.flatMap(({ from, to }) => {
      const peer = from === id ? slots.get(to) : to === id ? slots.get(from) : undefined;
      return peer ? [peer.column + (from === id ? -1 : 1)] : [];
    });
    const near = wanted.length === 0 ? least : Math.round(mean(wanted));
    const inner = Math.min(most, Math.max(least, near));
    const column = first.has(id) ? left : last.has(id) ? right : inner;
    const row = ends.has(column) ? (ends.get(column) ?? 0) + 1 : 0;
    ends.set(column, row);
    slots.set(id, { column, row });
  }
  return slots;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
