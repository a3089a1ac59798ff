import { type ContainerPort, type PortMatch } from "./ports.ts";
import { policyName, type Direction, type Policy, type PolicyRef, type Rule, type Tier } from "./policy.ts";
import type { Universe } from "./universe.ts";

/** Why one side of a connection is open or closed. Made once for each rule and peer; frozen; verdicts point to it. */
export interface Decision {
  readonly allowed: boolean;
  readonly tier: Tier;
  /**
   * - `rule`: the rule at `path` of `policy` says so;
   * - `isolated`: policies (`isolatedBy`) select the pod, and none of their rules allows it;
   * - `open`: no policy that selects the pod decides, and Kubernetes allows by default;
   * - `outside`: this end is not a pod, or is on the network of its node; no policy is about it.
   */
  readonly reason: "rule" | "isolated" | "open" | "outside";
  readonly policy: PolicyRef | null;
  /** `spec.ingress[2]`. */
  readonly path: string | null;
  /** Position of the rule in its list. */
  readonly rule: number | null;
  readonly ruleName: string | null;
  /** Path and position of the item of `from` or `to` that matched; null where the rule is for every peer. */
  readonly peerPath: string | null;
  readonly peer: number | null;
  readonly isolatedBy: readonly PolicyRef[];
  /** The rule narrows further by HTTP, DNS or Kafka, which was not looked at. */
  readonly layer7: boolean;
}

interface CompiledPeer {
  /** Bit per class; null is everybody. */
  readonly members: Uint32Array | null;
  readonly decision: Decision;
}

export interface CompiledRule {
  readonly policy: Policy;
  readonly rule: Rule;
  readonly action: Rule["action"];
  readonly ports: readonly PortMatch[] | null;
  readonly peers: readonly CompiledPeer[];
}

/** What holds in one direction for pods that the same policies select, in the order of decisions. */
export interface Side {
  readonly admin: readonly CompiledRule[];
  readonly deny: readonly CompiledRule[];
  readonly allow: readonly CompiledRule[];
  /** Null where no policy of the tier NetworkPolicy isolates. */
  readonly isolated: Decision | null;
  readonly baseline: readonly CompiledRule[];
}

/**
 * The cluster by classes of equivalence: elements that no rule can tell apart, neither as subject, nor as peer, nor by
 * the names of their ports.
 */
export interface Tables {
  readonly universe: Universe;
  readonly policies: readonly Policy[];
  /** Element → class. */
  readonly classOf: Int32Array;
  /** Class → an element of it. */
  readonly representative: Int32Array;
  /** Class → what holds for it; null for what no policy is about. */
  readonly ingress: readonly (Side | null)[];
  readonly egress: readonly (Side | null)[];
  /** Class → container ports whose names a rule uses. */
  readonly ports: readonly (readonly ContainerPort[])[];
  /** Words of a set of classes. */
  readonly words: number;
}

const order = { admin: 0, "network-policy": 1, baseline: 2 } as const;

/** Tier, then priority; the same priority by name, so that the answer is at least always the same. */
function inOrder(policies: readonly Policy[]): Policy[] {
  return [...policies].sort(
    (a, b) =>
      order[a.tier] - order[b.tier] || a.priority - b.priority || (policyName(a.ref) < policyName(b.ref) ? -1 : 1),
  );
}

export function compileTables(universe: Universe, policies: readonly Policy[]): Tables {
  const sorted = inOrder(policies);
  const used = usedPortNames(sorted);
  const named = namedPorts(universe, used);
  const partition = createPartition(universe, named);
  for (const { subject } of sorted) partition.split(universe.pods(subject));
  const subjectOf = partition.classOf.slice();
  const sets = new Set<Int32Array>();
  for (const { ingress, egress } of sorted) {
    for (const { peers } of [...ingress.rules, ...egress.rules]) {
      for (const { match } of peers ?? []) {
        const members = universe.peer(match);
        if (members) sets.add(members);
      }
    }
  }
  for (const members of sets) partition.split(members);

  const { classOf, representative } = partition.finish();
  const words = (representative.length + 31) >>> 5;
  const bits = bitsets(classOf, words);
  const sides = (direction: Direction): (Side | null)[] => {
    const bySubject = compileSides(universe, sorted, direction, subjectOf, bits);
    return Array.from(representative, (element) => bySubject.get(subjectOf[element] ?? -1) ?? null);
  };
  return {
    universe,
    policies: sorted,
    classOf,
    representative,
    ingress: sides("ingress"),
    egress: sides("egress"),
    ports: Array.from(representative, (element) => named[element] ?? []),
    words,
  };
}

function usedPortNames(policies: readonly Policy[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { ingress, egress } of policies) {
    for (const { ports } of [...ingress.rules, ...egress.rules]) {
      for (const port of ports ?? []) if (port.kind === "name") names.add(port.name);
    }
  }
  return names;
}

/** Element → its container ports whose names are used. */
function namedPorts({ census }: Universe, used: ReadonlySet<string>): (readonly ContainerPort[])[] {
  const list: (readonly ContainerPort[])[] = Array.from({ length: census.pods.length });
  for (const group of census.groups) {
    const ports = group.ports.filter(({ name }) => name !== undefined && used.has(name));
    for (const pod of group.pods) list[pod] = ports;
  }
  return list;
}

interface Partition {
  readonly classOf: Int32Array;
  /** Tells those of the set from the others. */
  split(members: Int32Array): void;
  finish(): { classOf: Int32Array; representative: Int32Array };
}

/** Starts with pods by the names of their ports, pods on the network of their node apart, and all addresses as one. */
function createPartition({ census, size }: Universe, named: (readonly ContainerPort[])[]): Partition {
  const classOf = new Int32Array(size);
  const ids = new Map<string, number>([["address", 0]]);
  for (const { pods, hostNetwork } of census.groups) {
    for (const pod of pods) {
      const open = (named[pod] ?? []).map(
        ({ name, containerPort, protocol }) => `${name} ${containerPort} ${protocol ?? "TCP"}`,
      );
      const key = JSON.stringify([hostNetwork, open.sort((a, b) => (a < b ? -1 : 1))]);
      const id = ids.get(key) ?? ids.size;
      ids.set(key, id);
      classOf[pod] = id;
    }
  }
  let next = ids.size;
  // A class is given at most one new id per split; `stamp` says whether the one in `renamed` is of this split.
  let renamed = new Int32Array(size + next + 1);
  let stamp = new Int32Array(size + next + 1);
  let round = 0;
  return {
    classOf,
    split(members) {
      round++;
      if (next + members.length >= renamed.length) {
        next = compact(classOf);
        renamed = new Int32Array(Math.max(next, size) * 4 + 1);
        stamp = new Int32Array(renamed.length);
      }
      for (const element of members) {
        const old = classOf[element] ?? 0;
        if (stamp[old] !== round) {
          stamp[old] = round;
          renamed[old] = next++;
        }
        classOf[element] = renamed[old] ?? 0;
      }
    },
    finish() {
      const count = compact(classOf);
      const representative = new Int32Array(count).fill(-1);
      for (const [element, id] of classOf.entries()) if (representative[id] === -1) representative[id] = element;
      return { classOf, representative };
    },
  };
}

/** Renumbers classes from 0 without gaps, in the order of their first element; their number. */
function compact(classOf: Int32Array): number {
  const ids = new Map<number, number>();
  for (const [element, old] of classOf.entries()) {
    const id = ids.get(old) ?? ids.size;
    ids.set(old, id);
    classOf[element] = id;
  }
  return ids.size;
}

/** Sets of elements as bits of classes; the same bits for the same set. */
function bitsets(classOf: Int32Array, words: number): (members: Int32Array | null) => Uint32Array | null {
  const known = new Map<Int32Array, Uint32Array>();
  return (members) => {
    if (members === null) return null;
    let bits = known.get(members);
    if (!bits) {
      bits = new Uint32Array(words);
      for (const element of members) {
        const id = classOf[element] ?? 0;
        bits[id >>> 5] = (bits[id >>> 5] ?? 0) | (1 << (id & 31));
      }
      known.set(members, bits);
    }
    return bits;
  };
}

export function hasBit(bits: Uint32Array, id: number): boolean {
  return (((bits[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;
}

export const openDecision: Decision = decisionOf({ allowed: true, tier: "default", reason: "open" });
export const outsideDecision: Decision = decisionOf({ allowed: true, tier: "default", reason: "outside" });

function decisionOf(given: Pick<Decision, "allowed" | "tier" | "reason"> & Partial<Decision>): Decision {
  const none = { policy: null, path: null, rule: null, ruleName: null, peerPath: null, peer: null, layer7: false };
  return Object.freeze({ ...none, isolatedBy: Object.freeze([]), ...given });
}

/** Subject class → its side. What is no pod, or is on the network of its node, has none. */
function compileSides(
  universe: Universe,
  policies: readonly Policy[],
  direction: Direction,
  subjectOf: Int32Array,
  bits: (members: Int32Array | null) => Uint32Array | null,
): Map<number, Side> {
  const selecting = new Map<number, Policy[]>();
  for (const { hostNetwork, pods } of universe.census.groups) {
    if (!hostNetwork) for (const pod of pods) selecting.set(subjectOf[pod] ?? -1, []);
  }
  for (const policy of policies) {
    const classes = new Set(Array.from(universe.pods(policy.subject), (pod) => subjectOf[pod] ?? -1));
    for (const id of classes) selecting.get(id)?.push(policy);
  }
  const compiled = new Map<Policy, readonly CompiledRule[]>();
  const rulesOf = (policy: Policy): readonly CompiledRule[] => {
    const known = compiled.get(policy);
    if (known) return known;
    const rules = policy[direction].rules.map((rule) => compileRule(universe, policy, rule, bits));
    compiled.set(policy, rules);
    return rules;
  };
  return new Map([...selecting].map(([id, list]) => [id, compileSide(list, direction, rulesOf)]));
}

function compileSide(
  policies: readonly Policy[],
  direction: Direction,
  rulesOf: (policy: Policy) => readonly CompiledRule[],
): Side {
  const rules = (tier: Policy["tier"]): CompiledRule[] =>
    policies.filter((policy) => policy.tier === tier).flatMap(rulesOf);
  const middle = rules("network-policy");
  const isolating = policies.filter((policy) => policy[direction].isolates).map(({ ref }) => ref);
  const isolated = decisionOf({
    allowed: false,
    tier: "network-policy",
    reason: "isolated",
    isolatedBy: Object.freeze(isolating),
  });
  return Object.freeze({
    admin: rules("admin"),
    deny: middle.filter(({ action }) => action === "deny"),
    allow: middle.filter(({ action }) => action === "allow"),
    isolated: isolating.length === 0 ? null : isolated,
    baseline: rules("baseline"),
  });
}

function compileRule(
  universe: Universe,
  policy: Policy,
  rule: Rule,
  bits: (members: Int32Array | null) => Uint32Array | null,
): CompiledRule {
  const { ref, tier } = policy;
  const { action, path, index, name, ports, peers, layer7 } = rule;
  const allowed = action === "allow";
  const base = { allowed, tier, reason: "rule", policy: ref, path, rule: index, ruleName: name, layer7 } as const;
  return Object.freeze({
    policy,
    rule,
    action,
    ports,
    peers:
      peers === null
        ? [Object.freeze({ members: null, decision: decisionOf(base) })]
        : peers.map((peer) =>
            Object.freeze({
              members: bits(universe.peer(peer.match)),
              decision: decisionOf({ ...base, peerPath: peer.path, peer: peer.index }),
            }),
          ),
  });
}
