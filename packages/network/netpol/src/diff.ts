import { addressText, type AddressRange } from "./address.ts";
import {
  connectivity,
  podName,
  subtract,
  type Connection,
  type Connectivity,
  type EndGroup,
  type PortSet,
} from "./connectivity.ts";
import type { Evaluator } from "./evaluator.ts";

export interface Difference {
  readonly opened: readonly Connection[];
  readonly closed: readonly Connection[];
  /** Pods that are there only after, or only before; what they may do is not compared. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** What a change opens and what it closes, between pods that are there before and after, and the world. */
export function diff(before: Evaluator, after: Evaluator): Difference {
  const old = connectivity(before);
  const young = connectivity(after);
  const groups = jointGroups(before, after);
  const opened: Connection[] = [];
  const closed: Connection[] = [];
  const compare = createComparison(old, young);
  for (const from of groups) {
    for (const to of groups) {
      if (from.outside && to.outside) continue;
      const change = compare(from, to);
      if (change.opened.length > 0) opened.push({ from: from.group, to: to.group, ports: change.opened });
      if (change.closed.length > 0) closed.push({ from: from.group, to: to.group, ports: change.closed });
    }
  }
  const names = ({ cluster }: Evaluator): Set<string> => new Set(cluster.pods.map(podName));
  const [then, now] = [names(before), names(after)];
  return {
    opened,
    closed,
    added: [...now].filter((name) => !then.has(name)),
    removed: [...then].filter((name) => !now.has(name)),
  };
}

interface JointGroup {
  readonly old: number;
  readonly young: number;
  readonly outside: boolean;
  readonly group: EndGroup;
}

/** Ends that neither side tells apart. */
function jointGroups(before: Evaluator, after: Evaluator): JointGroup[] {
  const groups = new Map<
    string,
    { old: number; young: number; outside: boolean; pods: string[]; ranges: AddressRange[] }
  >();
  const groupOf = (old: number, young: number, outside: boolean): { pods: string[]; ranges: AddressRange[] } => {
    const key = `${old} ${young}`;
    const group = groups.get(key) ?? { old, young, outside, pods: [], ranges: [] };
    groups.set(key, group);
    return group;
  };
  const there = after.tables.universe.census.byName;
  for (const [pod, element] of before.tables.universe.census.byName) {
    const other = there.get(pod);
    if (other === undefined) continue;
    groupOf(before.tables.classOf[element] ?? 0, after.tables.classOf[other] ?? 0, false).pods.push(pod);
  }
  for (const range of jointIntervals(before, after)) {
    const address = { family: range.family, value: range.first };
    const classIn = ({ tables }: Evaluator): number => tables.classOf[tables.universe.elementOf(address)] ?? 0;
    groupOf(classIn(before), classIn(after), true).ranges.push(range);
  }
  return [...groups.values()].map(({ old, young, outside, pods, ranges }) => ({
    old,
    young,
    outside,
    group: { pods, addresses: addressText(ranges) },
  }));
}

function jointIntervals(before: Evaluator, after: Evaluator): AddressRange[] {
  const all = [...before.tables.universe.intervals, ...after.tables.universe.intervals];
  return ([4, 6] as const).flatMap((family) => {
    const own = all.filter((range) => range.family === family);
    const starts = [...new Set(own.map(({ first }) => first))].sort((a, b) => (a < b ? -1 : 1));
    const end = own.reduce((most, { last }) => (last > most ? last : most), 0n);
    return starts.map((first, index) => ({ family, first, last: (starts[index + 1] ?? end + 1n) - 1n }));
  });
}

type Comparison = (from: JointGroup, to: JointGroup) => { opened: PortSet; closed: PortSet };

function createComparison(old: Connectivity, young: Connectivity): Comparison {
  const known = new Map<string, { opened: PortSet; closed: PortSet }>();
  return (from, to) => {
    const a = old.open(from.old, to.old);
    const b = young.open(from.young, to.young);
    const key = `${a} ${b}`;
    const found = known.get(key);
    if (found) return found;
    const [then, now] = [old.sets[a] ?? [], young.sets[b] ?? []];
    const change = { opened: subtract(now, then), closed: subtract(then, now) };
    known.set(key, change);
    return change;
  };
}
