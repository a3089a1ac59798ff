import { arrange, type Pair, type Slots } from "./arrange.ts";
import type { MapGraph, MapGroup, MapNode } from "./graph.ts";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Layout {
  /** Of each group. */
  groups: Map<string, Box>;
  /** Of each node, those in open groups too. */
  nodes: Map<string, Box>;
  bounds: Box;
}

/** What was placed before, so that it stays: slots of the groups, and within each open group. */
export interface Memory {
  groups: Slots;
  members: Map<string, Slots>;
  /** Between the rows of groups, as there was room for when they were arranged. */
  gap: number;
}

export function createMemory(): Memory {
  return { groups: new Map(), members: new Map(), gap: 0 };
}

const tile = { width: 168, height: 46 } as const;
const chip = { width: 158, height: 24 } as const;
const gap = { x: 84, y: { least: 14, most: 52 } } as const;
const chipGap = { x: 36, y: 6 } as const;
const padding = 12;
/** What stands below an open group is pushed by so much at once, so that the next that comes into it moves nobody. */
const pushStep = 4 * (chip.height + chipGap.y);
export const headHeight = 34;

/** Rows of a column, so that the whole is about as wide as a screen. */
const groupRows = (count: number): number => Math.max(4, 1.6 * Math.sqrt(count));
const memberRows = (count: number): number => Math.max(6, 1.9 * Math.sqrt(count));

/** Outside clients stand left, outside servers and nodes right. */
const first: ReadonlySet<string> = new Set(["@clients"]);
const last: ReadonlySet<string> = new Set(["@servers", "@nodes"]);

/** Where all stands. Groups and nodes that were placed before keep their slot; an open group pushes its neighbours. */
export function place(graph: MapGraph, memory: Memory): { layout: Layout; memory: Memory } {
  const groupOfNode = new Map(graph.groups.flatMap(({ id, nodes }) => nodes.map((node) => [node.id, id] as const)));
  const inside = new Map<string, Pair[]>();
  const between = new Map<string, Pair>();
  for (const { from, to } of graph.links) {
    const [a, b] = [groupOfNode.get(from), groupOfNode.get(to)];
    if (a === undefined || b === undefined) continue;
    if (a !== b) between.set(`${a} ${b}`, { from: a, to: b });
    else if (inside.has(a)) inside.get(a)?.push({ from, to });
    else inside.set(a, [{ from, to }]);
  }
  const ids = graph.groups.map(({ id }) => id);
  const groups = arrange(ids, [...between.values()], { rows: groupRows, first, last }, memory.groups);
  const members = new Map(memory.members);
  const nodes = new Map<string, Box>();
  const insides = new Map<string, Inside>();
  for (const group of graph.groups) {
    if (!group.open) continue;
    const slots = arrange(
      group.nodes.map(({ id }) => id),
      inside.get(group.id) ?? [],
      { rows: memberRows },
      members.get(group.id),
    );
    members.set(group.id, slots);
    insides.set(group.id, insideOf(group.nodes, slots));
  }
  // Few groups stand further apart, so that lines between them are seen.
  const rowGap = memory.gap || Math.max(gap.y.least, gap.y.most - 2 * ids.length);
  const boxes = boxesOf(graph.groups, groups, insides, rowGap);
  for (const group of graph.groups) {
    const box = boxes.get(group.id);
    if (!box) continue;
    const within = insides.get(group.id);
    if (!within) nodes.set(group.id, box);
    for (const [id, { x, y }] of within?.at ?? []) {
      nodes.set(id, { x: box.x + padding + x, y: box.y + headHeight + y, ...chip });
    }
  }
  return {
    layout: { groups: boxes, nodes, bounds: boundsOf(boxes.values()) },
    memory: { groups, members, gap: rowGap },
  };
}

interface Inside {
  at: Map<string, { x: number; y: number }>;
  width: number;
  height: number;
}

function insideOf(nodes: readonly MapNode[], slots: Slots): Inside {
  const all = [...slots.values()];
  const [left, top] = [least(all.map(({ column }) => column)), least(all.map(({ row }) => row))];
  const at = new Map<string, { x: number; y: number }>();
  let [width, height]: [number, number] = [chip.width, chip.height];
  for (const { id } of nodes) {
    const slot = slots.get(id);
    if (!slot) continue;
    const x = (slot.column - left) * (chip.width + chipGap.x);
    const y = (slot.row - top) * (chip.height + chipGap.y);
    at.set(id, { x, y });
    width = Math.max(width, x + chip.width);
    height = Math.max(height, y + chip.height);
  }
  return { at, width: width + 2 * padding, height: height + headHeight + padding };
}

/**
 * Columns one after the other, each as wide as its widest; in a column from the top, never one over the other. Who is not
 * seen now keeps a place, so that filters move nobody; a column that came at the left is left of zero.
 */
function boxesOf(
  groups: readonly MapGroup[],
  slots: Slots,
  insides: ReadonlyMap<string, Inside>,
  rowGap: number,
): Map<string, Box> {
  const columns = new Map<number, { id: string; row: number; width: number; height: number }[]>();
  for (const { column } of slots.values()) columns.set(column, []);
  for (const { id } of groups) {
    const slot = slots.get(id);
    if (!slot) continue;
    const { width, height } = insides.get(id) ?? tile;
    columns.get(slot.column)?.push({ id, row: slot.row, width, height });
  }
  const top = least([...slots.values()].map(({ row }) => row));
  const widthOf = (column: number): number =>
    gap.x + Math.max(tile.width, ...(columns.get(column) ?? []).map((one) => one.width));
  const order = [...columns.keys()].sort((a, b) => a - b);
  let x = 0;
  for (const column of order) if (column < 0) x -= widthOf(column);
  const boxes = new Map<string, Box>();
  for (const column of order) {
    let free = 0;
    for (const one of (columns.get(column) ?? []).sort((a, b) => a.row - b.row)) {
      const y = Math.max(free, (one.row - top) * (tile.height + rowGap));
      boxes.set(one.id, { x, y, width: one.width, height: one.height });
      const more = one.height - tile.height;
      free = y + tile.height + Math.ceil(more / pushStep) * pushStep + rowGap;
    }
    x += widthOf(column);
  }
  return boxes;
}

function least(values: readonly number[]): number {
  return values.reduce((found, value) => Math.min(found, value), values[0] ?? 0);
}

export function boundsOf(boxes: Iterable<Box>): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, width, height } of boxes) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  if (left === Infinity) return { x: 0, y: 0, width: 0, height: 0 };
  return { x: left, y: top, width: right - left, height: bottom - top };
}
