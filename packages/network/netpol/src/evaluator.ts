import { parseAddress, type AddressBlock, parseCidr, single } from "./address.ts";
import { takeCensus, type Cluster } from "./cluster.ts";
import { limits, NetpolError, type Problem } from "./error.ts";
import { portMatches, protocols, type ContainerPort, type Protocol } from "./ports.ts";
import type { Node } from "./read.ts";
import {
  compileTables,
  hasBit,
  openDecision,
  outsideDecision,
  type CompiledRule,
  type Decision,
  type Side,
  type Tables,
} from "./tables.ts";
import { readPolicies, refuse, type Sourced } from "./tiers/index.ts";
import type { Resolve } from "./tiers/resolve.ts";
import { createUniverse } from "./universe.ts";

export interface EvaluatorOptions {
  /**
   * Whether an `ipBlock` of a NetworkPolicy matches the addresses of pods. The API leaves it open: Calico, Antrea and
   * OVN-Kubernetes do, Cilium does not. True when absent.
   */
  readonly ipBlockMatchesPods?: boolean;
  /** Addresses or CIDRs of domain names that policies name (`domainNames`, `toFQDNs`); a pattern is a name of its own. */
  readonly domains?: Readonly<Record<string, readonly string[]>>;
  /** Addresses or CIDRs of Cilium's entities that are neither pods nor nodes nor the world, such as `kube-apiserver`. */
  readonly entities?: Readonly<Record<string, readonly string[]>>;
  /** The name that Cilium knows this cluster by; `default` when absent. */
  readonly clusterName?: string;
  /** What is done about objects with errors: `refuse` (raise `NetpolError`, the default), or `skip` them. */
  readonly onProblem?: "refuse" | "skip";
  /** Where each of `policies` was read: `file:line`. */
  readonly sources?: readonly (string | null)[];
}

/** A connection that is being asked about. An end is `namespace/name` of a pod, or an IP address. */
export interface ConnectionQuery {
  readonly from: string;
  readonly to: string;
  /** Destination port. */
  readonly port: number;
  /** TCP when absent. */
  readonly protocol?: Protocol;
}

export interface ConnectionVerdict {
  readonly allowed: boolean;
  /** What the destination's side says. */
  readonly ingress: Decision;
  /** What the source's side says. */
  readonly egress: Decision;
}

export interface Evaluator {
  /**
   * Whether a connection is opened, and which policy, rule and peer decided on each side. Replies need no rule.
   * Raises `NetpolError` with `unknown-endpoint` or `bad-query`.
   */
  connection(query: ConnectionQuery): ConnectionVerdict;
  /** The class of equivalence of an end. Raises `NetpolError` (`unknown-endpoint`). */
  classOf(end: string): number;
  /** What is wrong with the objects; errors only with `onProblem: "skip"`, else they were raised. */
  readonly problems: readonly Problem[];
  readonly cluster: Cluster;
  readonly options: EvaluatorOptions;
  /** Prepared once; the ground of tables, comparisons and lint. */
  readonly tables: Tables;
}

/**
 * Prepares a cluster for questions about its network policies. Raises `NetpolError` (`invalid`) that lists every
 * object, path and reason when anything is wrong, unless `onProblem` is `skip`; `too-large` beyond `limits`.
 */
export function createEvaluator(cluster: Cluster, options: EvaluatorOptions = {}): Evaluator {
  if (cluster.policies.length > limits.policies) {
    throw new NetpolError("too-large", `${cluster.policies.length} policies; at most ${limits.policies} are taken`);
  }
  const census = takeCensus(cluster);
  const written = cluster.policies.map((object, index): Sourced => ({
    object,
    source: options.sources?.[index] ?? null,
  }));
  const { policies, problems: found } = readPolicies(written, createResolve(options));
  const problems = [...census.problems, ...found];
  if (options.onProblem !== "skip") refuse(problems);
  const universe = createUniverse(census, policies, {
    ipBlockMatchesPods: options.ipBlockMatchesPods ?? true,
    clusterName: options.clusterName ?? "default",
  });
  const tables = compileTables(universe, policies);
  const locate = createLocator(tables);
  const verdict = createVerdict(tables);
  return {
    connection({ from, to, port, protocol = "TCP" }) {
      if (!(Number.isInteger(port) && port >= 0 && port <= 65535) || !protocols.includes(protocol))
        throw badQuery(port, protocol);
      return verdict(locate(from), locate(to), protocol, port);
    },
    classOf: locate,
    problems,
    cluster,
    options,
    tables,
  };
}

/** Between two classes. */
type Verdict = (from: number, to: number, protocol: Protocol, port: number) => ConnectionVerdict;

function createVerdict(tables: Tables): Verdict {
  const at = createNarrowing();
  return (from, to, protocol, port) => {
    const ports = tables.ports[to] ?? [];
    const out = tables.egress[from];
    const into = tables.ingress[to];
    const egress = out ? decide(at(out, protocol, port), to, protocol, port, ports) : outsideDecision;
    const ingress = into ? decide(at(into, protocol, port), from, protocol, port, ports) : outsideDecision;
    return { allowed: egress.allowed && ingress.allowed, ingress, egress };
  };
}

/** The order of decisions: Admin, NetworkPolicy and Cilium, Baseline, and what Kubernetes does by itself. */
function decide(
  side: Side,
  peer: number,
  protocol: Protocol,
  port: number,
  destination: readonly ContainerPort[],
): Decision {
  const found =
    first(side.admin, peer, protocol, port, destination) ??
    first(side.deny, peer, protocol, port, destination) ??
    first(side.allow, peer, protocol, port, destination);
  if (found) return found;
  if (side.isolated) return side.isolated;
  return first(side.baseline, peer, protocol, port, destination) ?? openDecision;
}

/** The first rule that matches; none when that one passes on to the next tier. */
function first(
  rules: readonly CompiledRule[],
  peer: number,
  protocol: Protocol,
  port: number,
  destination: readonly ContainerPort[],
): Decision | undefined {
  for (const rule of rules) {
    if (rule.ports !== null && !portMatches(rule.ports, protocol, port, destination)) continue;
    for (const { members, decision } of rule.peers) {
      if (members !== null && !hasBit(members, peer)) continue;
      return rule.action === "pass" ? undefined : decision;
    }
  }
  return undefined;
}

/** Sides that are kept by port; beyond, they are made again. */
const mostNarrowed = 50_000;

/** A side with only the rules that can match a port: few connections are asked about only once. */
function createNarrowing(): (side: Side, protocol: Protocol, port: number) => Side {
  const cache = new Map<Side, Map<number, Side>>();
  let kept = 0;
  return (side, protocol, port) => {
    const key = protocols.indexOf(protocol) * 65536 + port;
    let ofSide = cache.get(side);
    const known = ofSide?.get(key);
    if (known) return known;
    if (kept++ >= mostNarrowed) {
      cache.clear();
      kept = 1;
      ofSide = undefined;
    }
    const made = narrow(side, protocol, port);
    if (ofSide) ofSide.set(key, made);
    else cache.set(side, new Map([[key, made]]));
    return made;
  };
}

function narrow({ admin, deny, allow, isolated, baseline }: Side, protocol: Protocol, port: number): Side {
  const only = (rules: readonly CompiledRule[]): CompiledRule[] =>
    rules.flatMap((rule) => {
      if (portMatches(rule.ports, protocol, port, [])) return { ...rule, ports: null };
      const names = rule.ports?.filter((match) => match.kind === "name") ?? [];
      return names.length === 0 ? [] : { ...rule, ports: names };
    });
  return { admin: only(admin), deny: only(deny), allow: only(allow), isolated, baseline: only(baseline) };
}

/** The class of what a query names. The address of a pod is the pod. */
function createLocator({ universe, classOf }: Tables): (end: string) => number {
  const { census } = universe;
  const byAddress = new Map<string, number>();
  for (const { hostNetwork, pods } of census.groups) {
    for (const pod of hostNetwork ? [] : pods) {
      for (const { family, value } of census.addresses[pod] ?? []) byAddress.set(`${family} ${value}`, pod);
    }
  }
  return (end) => {
    const pod = census.byName.get(end);
    if (pod !== undefined) return classOf[pod] ?? 0;
    const address = end.includes("/") ? undefined : parseAddress(end);
    if (!address) throw unknownEndpoint(end);
    const owner = byAddress.get(`${address.family} ${address.value}`);
    return classOf[owner ?? universe.elementOf(address)] ?? 0;
  };
}

function unknownEndpoint(end: string): NetpolError {
  const reason = end.includes("/")
    ? "no such pod among the objects"
    : "neither namespace/name of a pod nor an IP address";
  return new NetpolError("unknown-endpoint", `${JSON.stringify(end)}: ${reason}`, {
    remedy: "name a pod as namespace/name, or give an IP address",
  });
}

function badQuery(port: number, protocol: string): NetpolError {
  return new NetpolError("bad-query", `port ${port}, protocol ${JSON.stringify(protocol)}`, {
    remedy: `ask for a port from 0 to 65535 of ${protocols.join(", ")}`,
  });
}

function createResolve({ domains = {}, entities = {} }: EvaluatorOptions): Resolve {
  const lookUp = (
    list: Readonly<Record<string, readonly string[]>>,
    node: Node,
    name: string,
    what: string,
  ): AddressBlock[] => {
    const known = Object.hasOwn(list, name) ? list[name] : undefined;
    if (!known) {
      node.report.warning(
        node.path,
        `the addresses of ${what} ${JSON.stringify(name)} are not known here; it matches nothing`,
      );
    }
    return (known ?? []).map((text) => {
      const address = parseAddress(text);
      const range = address ? single(address) : parseCidr(text);
      if (range) return { range, except: [] };
      throw new NetpolError("bad-query", `${what} ${name}: ${JSON.stringify(text)} is neither an address nor a CIDR`);
    });
  };
  return {
    domain: (node, name) => lookUp(domains, node, name, "domain"),
    entity: (node, name) => lookUp(entities, node, name, "entity"),
  };
}
