import type { Problem } from "./error.ts";
import type { Evaluator } from "./evaluator.ts";
import { policyName, type Direction, type Policy, type PolicyRef, type Rule } from "./policy.ts";
import { protocols, type PortMatch } from "./ports.ts";
import { join, subtract, type PortRange } from "./connectivity.ts";
import type { Universe } from "./universe.ts";

export type FindingCode =
  /** The object is refused. */
  | "invalid"
  /** The object means something that its author may not expect. */
  | "unexpected-meaning"
  | "selects-nothing"
  | "peer-matches-nothing"
  | "unresolved-port-name"
  | "shadowed-rule"
  | "same-priority";

export interface Finding {
  readonly code: FindingCode;
  readonly severity: "error" | "warning";
  /** `NetworkPolicy default/web`. */
  readonly object: string;
  readonly path: string;
  readonly message: string;
  /** `file:line`, where known. */
  readonly source: string | null;
}

/** What in the policies of a cluster is without effect, or not what it seems. An evaluator with `onProblem: "skip"`; `more` problems, of loading, are findings too. */
export function lint(
  { problems, tables: { policies, universe } }: Evaluator,
  more: readonly Problem[] = [],
): Finding[] {
  const findings: Finding[] = [...more, ...problems].map(({ severity, object, path, reason, source }) => ({
    code: severity === "error" ? "invalid" : "unexpected-meaning",
    severity,
    object,
    path,
    message: reason,
    source,
  }));
  const context: Context = {
    universe,
    policies,
    subjects: new Map(policies.map((one) => [one, new Set(universe.pods(one.subject))])),
  };
  for (const policy of policies) {
    if (context.subjects.get(policy)?.size === 0) {
      findings.push(finding(policy.ref, "selects-nothing", "spec", "selects no pod among the objects"));
      continue;
    }
    for (const direction of ["ingress", "egress"] as const) {
      for (const rule of policy[direction].rules) {
        findings.push(...emptyPeers(context, policy, rule), ...portNames(context, policy, direction, rule));
      }
    }
  }
  return [...findings, ...shadowed(context), ...samePriority(context)];
}

interface Context {
  readonly universe: Universe;
  readonly policies: readonly Policy[];
  readonly subjects: ReadonlyMap<Policy, ReadonlySet<number>>;
}

function finding(ref: PolicyRef, code: FindingCode, path: string, message: string): Finding {
  return { code, severity: "warning", object: policyName(ref), path, message, source: ref.source };
}

function emptyPeers({ universe }: Context, { ref }: Policy, { peers }: Rule): Finding[] {
  return (peers ?? [])
    .filter(({ match }) => match.kind === "pods" && universe.pods(match.pods).length === 0)
    .map(({ path }) => finding(ref, "peer-matches-nothing", path, "matches no pod among the objects"));
}

/** A name is looked up at the destination: the pods that the policy selects, or those that it lets them call. */
function portNames({ universe, subjects }: Context, policy: Policy, direction: Direction, rule: Rule): Finding[] {
  const names = (rule.ports ?? []).filter((port) => port.kind === "name");
  if (names.length === 0) return [];
  const { pods } = universe.census;
  const peers = rule.peers?.flatMap(({ match }) => Array.from(universe.peer(match) ?? pods.keys()));
  const destinations = direction === "ingress" ? [...(subjects.get(policy) ?? [])] : (peers ?? [...pods.keys()]);
  return names
    .filter(
      ({ name, protocol }) =>
        !destinations.some((element) =>
          pods[element]?.ports?.some(
            (open) => open.name === name && (protocol === null || (open.protocol ?? "TCP") === protocol),
          ),
        ),
    )
    .map(({ name, protocol }) => {
      const port = `${protocol === null ? "" : `${protocol} `}port named ${JSON.stringify(name)}`;
      return finding(
        policy.ref,
        "unresolved-port-name",
        rule.path,
        `no container of the destination has a ${port}; it matches nothing`,
      );
    });
}

/** Rules that another one leaves nothing to decide. */
function shadowed({ universe, policies, subjects }: Context): Finding[] {
  const findings: Finding[] = [];
  for (const direction of ["ingress", "egress"] as const) {
    const all = policies.flatMap((policy, order) =>
      policy[direction].rules.map((rule, at) => ({
        policy,
        rule,
        order: order * 1e6 + at,
        peers: peerSets(universe, rule),
      })),
    );
    // A rule that covers another is about all of its pods, so it is enough to look among those about the first.
    const byPod = new Map<number, typeof all>();
    for (const item of all) for (const pod of subjects.get(item.policy) ?? []) pushTo(byPod, pod, item);
    for (const item of all) {
      const subject = subjects.get(item.policy) ?? new Set();
      const [first] = subject;
      if (first === undefined) continue;
      const other = (byPod.get(first) ?? []).find(
        (one) =>
          one !== item &&
          one.policy.tier === item.policy.tier &&
          comesFirst(one, item) &&
          portsCover(one.rule.ports, item.rule.ports) &&
          covers(one.peers, item.peers) &&
          isSubset(subject, subjects.get(one.policy) ?? new Set()) &&
          !(one.order > item.order && mutual(one, item, subjects)),
      );
      if (!other) continue;
      const message = `has no effect: ${policyName(other.policy.ref)}, ${other.rule.path} already decides all of it`;
      findings.push(finding(item.policy.ref, "shadowed-rule", item.rule.path, message));
    }
  }
  return findings;
}

interface Placed {
  readonly policy: Policy;
  readonly rule: Rule;
  readonly order: number;
  /** Null: everybody. */
  readonly peers: ReadonlySet<number> | null;
}

function peerSets(universe: Universe, { peers }: Rule): ReadonlySet<number> | null {
  const sets = peers?.map(({ match }) => universe.peer(match));
  if (!sets || sets.includes(null)) return null;
  return new Set(sets.flatMap((set) => Array.from(set ?? [])));
}

/** In tiers with an order, the earlier rule decides; among NetworkPolicies, a denial or another that allows. */
function comesFirst(one: Placed, item: Placed): boolean {
  if (item.policy.tier !== "network-policy") return one.order < item.order;
  return one.rule.action === item.rule.action || one.rule.action === "deny";
}

/** Of two rules that say the same, only the later one is found. */
function mutual(one: Placed, item: Placed, subjects: Context["subjects"]): boolean {
  return (
    one.rule.action === item.rule.action &&
    portsCover(item.rule.ports, one.rule.ports) &&
    covers(item.peers, one.peers) &&
    isSubset(subjects.get(one.policy) ?? new Set(), subjects.get(item.policy) ?? new Set())
  );
}

function covers(a: Placed["peers"], b: Placed["peers"]): boolean {
  return a === null || (b !== null && isSubset(b, a));
}

function isSubset(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a.size <= b.size && [...a].every((item) => b.has(item));
}

const every: readonly PortRange[] = protocols.map((protocol) => ({ protocol, first: 1, last: 65535 }));

function portsCover(a: readonly PortMatch[] | null, b: readonly PortMatch[] | null): boolean {
  if (a === null) return true;
  const ranges = (list: readonly PortMatch[]): PortRange[] =>
    list.filter((port) => port.kind === "range").map((port) => ({ ...port, first: Math.max(1, port.first) }));
  if (subtract(join(b === null ? every : ranges(b)), join(ranges(a))).length > 0) return false;
  return (b ?? []).every(
    (port) =>
      port.kind === "range" ||
      a.some(
        (other) =>
          other.kind === "name" && other.name === port.name && (other.protocol ?? port.protocol) === port.protocol,
      ),
  );
}

function pushTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** Which of two policies with one priority comes first is left to the implementation. */
function samePriority({ policies, subjects }: Context): Finding[] {
  const groups = new Map<string, Policy[]>();
  for (const policy of policies) {
    if (policy.tier !== "network-policy" && policy.priority <= 1000)
      pushTo(groups, `${policy.tier} ${policy.priority}`, policy);
  }
  return [...groups.values()].flatMap((group) =>
    group.flatMap((policy, index) => {
      const other = group.slice(0, index).find((one) => conflict(one, policy, subjects));
      if (!other) return [];
      const message = `has priority ${policy.priority} as ${policyName(other.ref)} does, for some of the same pods; which one decides is not defined`;
      return [finding(policy.ref, "same-priority", "spec.priority", message)];
    }),
  );
}

function conflict(a: Policy, b: Policy, subjects: Context["subjects"]): boolean {
  const both = (["ingress", "egress"] as const).some((one) => a[one].rules.length > 0 && b[one].rules.length > 0);
  const others = subjects.get(b) ?? new Set();
  return both && [...(subjects.get(a) ?? [])].some((pod) => others.has(pod));
}
