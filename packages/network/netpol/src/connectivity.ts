import { addressText, type AddressRange } from "./address.ts";
import { limits, NetpolError } from "./error.ts";
import type { Evaluator } from "./evaluator.ts";
import { protocols, type ContainerPort, type PortMatch, type Protocol } from "./ports.ts";
import type { Direction } from "./policy.ts";
import { type CompiledRule, type Side, type Tables } from "./tables.ts";

/** Destination ports of one protocol, inclusive. */
export interface PortRange {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** Disjoint, in order, neighbours joined. */
export type PortSet = readonly PortRange[];

/** Ends of connections that no rule tells apart: pods, or addresses outside the cluster. */
export interface EndClass {
  /** Positions in the cluster's list of pods. */
  readonly pods: readonly number[];
  readonly addresses: readonly AddressRange[];
}

export interface Connectivity {
  readonly classes: readonly EndClass[];
  /** Every set of ports that occurs; the first is the empty one. */
  readonly sets: readonly PortSet[];
  /** Which of `sets` is open from one class to another. */
  open(from: number, to: number): number;
}

/** Pods, or addresses outside the cluster, that behave alike. */
export interface EndGroup {
  /** `namespace/name`. */
  readonly pods: readonly string[];
  readonly addresses: readonly string[];
}

export interface Connection {
  readonly from: EndGroup;
  readonly to: EndGroup;
  readonly ports: PortSet;
}

/**
 * All that may connect to all, on every port, by classes of equivalence. Raises `NetpolError` (`too-large`) when the
 * table would pass `limits.table`.
 */
export function connectivity(evaluator: Pick<Evaluator, "tables">): Connectivity {
  const { sets, classes, egress, ingress } = cutSides(evaluator);
  return {
    classes,
    sets: sets.list,
    open: (from, to) => sets.both(egress[from]?.[to] ?? sets.all, ingress[to]?.[from] ?? sets.all),
  };
}

/** What each side by itself lets through, for whoever enforces one of them. */
export interface Sides {
  readonly classes: readonly EndClass[];
  /** Every set of ports that occurs; the first is the empty one. */
  readonly sets: readonly PortSet[];
  /** Which of `sets` is every port. */
  readonly all: number;
  /**
   * Class → which of `sets` is open from (ingress) or to (egress) each other class; undefined: everything to everybody. Equal
   * sides are the same object.
   */
  readonly ingress: readonly (Uint32Array | undefined)[];
  readonly egress: readonly (Uint32Array | undefined)[];
}

/** As `connectivity`, the two sides apart. */
export function sides(evaluator: Pick<Evaluator, "tables">): Sides {
  const { sets, ...rest } = cutSides(evaluator);
  return { ...rest, sets: sets.list, all: sets.all };
}

function cutSides({ tables }: Pick<Evaluator, "tables">): Omit<Sides, "sets" | "all"> & { sets: Sets } {
  const atoms = cutPorts(tables);
  const sets = createSets(atoms);
  return {
    classes: endClasses(tables),
    sets,
    egress: sideSets(tables, "egress", atoms, sets),
    ingress: sideSets(tables, "ingress", atoms, sets),
  };
}

/** Everything that may connect to anything, line by line; from outside to outside is nobody's business. */
export function connections(evaluator: Evaluator): Connection[] {
  const { classes, sets, open } = connectivity(evaluator);
  const pods = evaluator.cluster.pods.map(podName);
  const groups = classes.map((item): EndGroup => ({
    pods: item.pods.map((pod) => pods[pod] ?? ""),
    addresses: addressText(item.addresses),
  }));
  return groups.flatMap((from, source) =>
    groups.flatMap((to, destination) => {
      const ports = sets[open(source, destination)] ?? [];
      return ports.length === 0 || (from.pods.length === 0 && to.pods.length === 0) ? [] : [{ from, to, ports }];
    }),
  );
}

export const podName = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;

function endClasses({ classOf, representative, universe }: Tables): EndClass[] {
  const classes = Array.from(representative, () => ({ pods: [] as number[], addresses: [] as AddressRange[] }));
  const first = universe.census.pods.length;
  for (const [element, id] of classOf.entries()) {
    const range = element < first ? undefined : universe.intervals[element - first];
    if (range) addRange(classes[id]?.addresses ?? [], range);
    else classes[id]?.pods.push(element);
  }
  return classes;
}

/** Intervals come in order; neighbours of one class are one range again. */
function addRange(list: AddressRange[], range: AddressRange): void {
  const last = list.at(-1);
  if (last && last.family === range.family && last.last + 1n === range.first)
    list[list.length - 1] = { ...last, last: range.last };
  else list.push(range);
}

/** Ports between which no rule makes a difference, per protocol. */
function cutPorts({ policies, ports }: Tables): PortRange[] {
  const starts = new Map<Protocol, Set<number>>(protocols.map((protocol) => [protocol, new Set([1])]));
  const add = (protocol: Protocol, first: number, last: number): void => {
    const set = starts.get(protocol);
    if (first > 1) set?.add(first);
    if (last < 65535) set?.add(last + 1);
  };
  for (const { ingress, egress } of policies) {
    for (const rule of [...ingress.rules, ...egress.rules]) {
      for (const port of rule.ports ?? []) if (port.kind === "range") add(port.protocol, port.first, port.last);
    }
  }
  for (const list of ports) {
    for (const { protocol = "TCP", containerPort } of list) add(protocol, containerPort, containerPort);
  }
  return protocols.flatMap((protocol) => {
    const sorted = [...(starts.get(protocol) ?? [])].sort((a, b) => a - b);
    return sorted.map((first, index) => ({ protocol, first, last: (sorted[index + 1] ?? 65536) - 1 }));
  });
}

/**
 * Class → what is open to each other class, as a number of a set of atoms; undefined is everything. Classes with the
 * same side share one array, and of a side only the few sets of rules that some atom tells apart are looked at.
 */
function sideSets(
  tables: Tables,
  direction: Direction,
  atoms: readonly PortRange[],
  sets: Sets,
): (Uint32Array | undefined)[] {
  const count = tables.representative.length;
  const names = nameBits(tables);
  const all = new Uint32Array(tables.words).fill(0xffff_ffff);
  const known = new Map<Side, Map<string, Uint32Array>>();
  let bytes = 0;
  return tables[direction].map((side, id) => {
    if (side === null) return undefined;
    // Towards the pod, a name is one of the pod's own ports; from the pod, it depends on the peer.
    const own = direction === "ingress" ? (tables.ports[id] ?? []) : null;
    const ofSide = known.get(side) ?? new Map<string, Uint32Array>();
    known.set(side, ofSide);
    const key = JSON.stringify(own);
    const found = ofSide.get(key);
    if (found) return found;
    bytes += count * 4;
    if (bytes > limits.table) throw tooLarge(count);
    const made = new Uint32Array(count);
    for (const { atom, members } of groupAtoms(side, atoms, own)) {
      const row = sideRow(side, atom, own, names, all);
      const extend = sets.extender(members);
      for (let to = 0; to < count; to++) {
        if ((((row[to >>> 5] ?? 0) >>> (to & 31)) & 1) === 1) made[to] = extend(made[to] ?? 0);
      }
    }
    ofSide.set(key, made);
    return made;
  });
}

function tooLarge(count: number): NetpolError {
  return new NetpolError("too-large", `${count} classes of pods and addresses make too large a table`, {
    remedy: "give workloads instead of their pods, or ask for single connections",
  });
}

/** Atoms under which the same rules of a side apply; any one of them stands for all. */
function groupAtoms(
  side: Side,
  atoms: readonly PortRange[],
  own: readonly ContainerPort[] | null,
): { atom: PortRange; members: number[] }[] {
  const groups = new Map<string, { atom: PortRange; members: number[] }>();
  for (const [index, atom] of atoms.entries()) {
    const key = ruleKey(side, atom, own);
    const group = groups.get(key);
    if (group) group.members.push(index);
    else groups.set(key, { atom, members: [index] });
  }
  return [...groups.values()];
}

const rulesOf = ({ admin, deny, allow, baseline }: Side): (readonly CompiledRule[])[] => [admin, deny, allow, baseline];

/** Equal for atoms under which the same rules of a side apply. */
function ruleKey(side: Side, atom: PortRange, own: readonly ContainerPort[] | null): string {
  let key = "";
  for (const rules of rulesOf(side)) {
    for (const { ports } of rules) {
      const how = applies(ports, atom, own);
      key += typeof how === "string" ? how : how.map(({ name }) => `(${name} ${atom.protocol} ${atom.first})`).join("");
    }
  }
  return key;
}

type Named = PortMatch & { kind: "name" };

/** Whether ports take in an atom: `1` yes, `0` no, or only where the destination has one of these names. */
function applies(
  ports: readonly PortMatch[] | null,
  atom: PortRange,
  own: readonly ContainerPort[] | null,
): "0" | "1" | Named[] {
  if (ports === null) return "1";
  const named: Named[] = [];
  for (const port of ports) {
    if (port.kind === "range") {
      if (port.protocol === atom.protocol && atom.first >= port.first && atom.last <= port.last) return "1";
    } else if (port.protocol === null || port.protocol === atom.protocol) {
      if (own === null) named.push(port);
      else if (own.some((open) => opens(open, port.name, atom))) return "1";
    }
  }
  return named.length === 0 ? "0" : named;
}

function opens({ name, containerPort, protocol = "TCP" }: ContainerPort, wanted: string, atom: PortRange): boolean {
  return name === wanted && protocol === atom.protocol && containerPort === atom.first && atom.first === atom.last;
}

/** Classes with a port of this name at this atom. */
function nameBits({ ports, words }: Tables): (name: string, atom: PortRange) => Uint32Array {
  const known = new Map<string, Uint32Array>();
  return (name, atom) => {
    const key = `${name} ${atom.protocol} ${atom.first}`;
    let bits = known.get(key);
    if (!bits) {
      bits = new Uint32Array(words);
      for (const [id, list] of ports.entries()) {
        if (list.some((open) => opens(open, name, atom))) bits[id >>> 5] = (bits[id >>> 5] ?? 0) | (1 << (id & 31));
      }
      known.set(key, bits);
    }
    return bits;
  };
}

function sideRow(
  side: Side,
  atom: PortRange,
  own: readonly ContainerPort[] | null,
  names: (name: string, atom: PortRange) => Uint32Array,
  all: Uint32Array,
): Uint32Array {
  const open = new Uint32Array(all.length);
  const matched = (rule: CompiledRule): Uint32Array | null => ruleBits(rule, atom, own, names, all);
  /** First rule wins. What is left undecided by a tier goes on; so does what it passes. */
  const tier = (rules: readonly CompiledRule[], undecided: Uint32Array): Uint32Array => {
    const left = undecided.slice();
    const passed = new Uint32Array(all.length);
    for (const rule of rules) {
      const bits = matched(rule);
      if (!bits) continue;
      const target = rule.action === "allow" ? open : rule.action === "pass" ? passed : null;
      for (let word = 0; word < left.length; word++) {
        const taken = (bits[word] ?? 0) & (left[word] ?? 0);
        left[word] = (left[word] ?? 0) & ~taken;
        if (target) target[word] = (target[word] ?? 0) | taken;
      }
    }
    return left.map((word, index) => word | (passed[index] ?? 0));
  };
  let rest = tier(side.admin, all);
  rest = tier([...side.deny, ...side.allow], rest);
  if (side.isolated) return open;
  rest = tier(side.baseline, rest);
  return open.map((word, index) => word | (rest[index] ?? 0));
}

function ruleBits(
  { ports, peers }: CompiledRule,
  atom: PortRange,
  own: readonly ContainerPort[] | null,
  names: (name: string, atom: PortRange) => Uint32Array,
  all: Uint32Array,
): Uint32Array | null {
  const how = applies(ports, atom, own);
  if (how === "0") return null;
  const bits = new Uint32Array(all.length);
  for (const { members } of peers) orInto(bits, members ?? all);
  if (how === "1") return bits;
  const named = new Uint32Array(all.length);
  for (const { name } of how) orInto(named, names(name, atom));
  return bits.map((word, index) => word & (named[index] ?? 0));
}

function orInto(target: Uint32Array, bits: Uint32Array): void {
  for (let word = 0; word < target.length; word++) target[word] = (target[word] ?? 0) | (bits[word] ?? 0);
}

/** Sets of atoms by number; 0 is the empty one. Equal sets have equal numbers. */
interface Sets {
  readonly all: number;
  /** As ports, for whoever asks. Grows as `both` finds new ones. */
  readonly list: readonly PortSet[];
  /** A function that adds these atoms to a set, and names the set that results. */
  extender(atoms: readonly number[]): (set: number) => number;
  both(a: number, b: number): number;
}

function createSets(atoms: readonly PortRange[]): Sets {
  const numbers = new Map<string, number>();
  const members: number[][] = [];
  const list: PortSet[] = [];
  const number = (set: number[]): number => {
    const key = set.join();
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const id = members.push(set) - 1;
    list.push(join(set.flatMap((index) => atoms[index] ?? [])));
    numbers.set(key, id);
    return id;
  };
  number([]);
  const all = number(atoms.map((_, index) => index));
  const met = new Map<number, Map<number, number>>();
  return {
    all,
    list,
    extender(more) {
      const next = new Map<number, number>();
      return (set) => {
        let id = next.get(set);
        if (id === undefined) {
          id = number([...(members[set] ?? []), ...more].sort((a, b) => a - b));
          next.set(set, id);
        }
        return id;
      };
    },
    both(a, b) {
      if (a === b || b === all) return a;
      if (a === all) return b;
      if (a === 0 || b === 0) return 0;
      let ofA = met.get(a);
      if (!ofA) met.set(a, (ofA = new Map()));
      let id = ofA.get(b);
      if (id === undefined) {
        const other = new Set(members[b]);
        id = number((members[a] ?? []).filter((index) => other.has(index)));
        ofA.set(b, id);
      }
      return id;
    },
  };
}

/** In order, neighbours joined. */
export function join(ranges: readonly PortRange[]): PortSet {
  const sorted = [...ranges].sort(
    (a, b) => protocols.indexOf(a.protocol) - protocols.indexOf(b.protocol) || a.first - b.first,
  );
  const list: PortRange[] = [];
  for (const range of sorted) {
    const last = list.at(-1);
    if (last && last.protocol === range.protocol && last.last + 1 >= range.first) {
      list[list.length - 1] = { ...last, last: Math.max(last.last, range.last) };
    } else list.push(range);
  }
  return list;
}

/** What of `a` is not in `b`. */
export function subtract(a: PortSet, b: PortSet): PortSet {
  return b.reduce<PortSet>((rest, other) => rest.flatMap((range) => without(range, other)), a);
}

function without(range: PortRange, other: PortRange): PortRange[] {
  if (other.protocol !== range.protocol || other.first > range.last || other.last < range.first) return [range];
  const before = { ...range, last: other.first - 1 };
  const after = { ...range, first: other.last + 1 };
  return [before, after].filter(({ first, last }) => first <= last);
}

/** `all ports`, or `TCP 80,443,8000-8080; UDP 53`. */
export function portSetText(set: PortSet): string {
  if (set.length === 0) return "none";
  const texts = protocols.flatMap((protocol) => {
    const own = set.filter((range) => range.protocol === protocol);
    if (own.length === 0) return [];
    if (own.length === 1 && own[0]?.first === 1 && own[0].last === 65535) return [protocol];
    return [
      `${protocol} ${own.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(",")}`,
    ];
  });
  return texts.join("; ") === protocols.join("; ") ? "all ports" : texts.join("; ");
}
