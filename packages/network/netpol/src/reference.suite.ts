/**
 * The semantics once more, as plainly as can be: straight from the objects, no preparation, no sharing with the
 * product but the words. Slow. Tests hold the compiled evaluator against it.
 */
import { BlockList, isIPv6 } from "node:net";
import type { Pod } from "./cluster.ts";

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}
interface Named {
  namespaceSelector?: Selector;
  podSelector?: Selector;
}
export interface AnyRule {
  action?: string;
  from?: AnyPeer[];
  to?: AnyPeer[];
  ports?: AnyPort[];
  protocols?: Record<
    string,
    { destinationPort?: { number?: number; range?: { start: number; end: number } } } | string
  >[];
  toPorts?: { ports: { port: string; protocol?: string; endPort?: number }[] }[];
  [list: string]: unknown;
}
interface AnyPeer extends Named {
  ipBlock?: { cidr: string; except?: string[] };
  namespaces?: Selector;
  pods?: Named;
  networks?: string[];
}
interface AnyPort {
  protocol?: string;
  port?: number | string;
  endPort?: number;
  portNumber?: { protocol?: string; port: number };
  portRange?: { protocol?: string; start: number; end: number };
  namedPort?: string;
}
export interface AnyPolicy {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  spec: {
    priority?: number;
    tier?: string;
    podSelector?: Selector;
    endpointSelector?: Selector;
    subject?: { namespaces?: Selector; pods?: Named };
    policyTypes?: string[];
    enableDefaultDeny?: { ingress?: boolean; egress?: boolean };
    ingress?: AnyRule[];
    egress?: AnyRule[];
    ingressDeny?: AnyRule[];
    egressDeny?: AnyRule[];
  };
}
export interface World {
  namespaces: { name: string; labels: Record<string, string> }[];
  pods: Pod[];
  policies: AnyPolicy[];
}
export type End = { pod: Pod } | { ip: string };

export interface Query {
  from: End;
  to: End;
  port: number;
  protocol: string;
}

export function allowed(
  world: World,
  query: Query,
  ipBlockMatchesPods: boolean,
): { ingress: boolean; egress: boolean } {
  return {
    ingress: sideAllowed(world, query, "ingress", ipBlockMatchesPods),
    egress: sideAllowed(world, query, "egress", ipBlockMatchesPods),
  };
}

function sideAllowed(world: World, query: Query, direction: "ingress" | "egress", blocks: boolean): boolean {
  const self = direction === "ingress" ? query.to : query.from;
  const peer = direction === "ingress" ? query.from : query.to;
  if (!("pod" in self) || self.pod.hostNetwork) return true;
  const pod = self.pod;
  const tiers = (name: string): AnyPolicy[] =>
    world.policies
      .filter(({ kind, spec, metadata }) => tierOf(kind, spec) === name && metadata.name !== "")
      .filter((policy) => subject(world, policy, pod))
      .sort(
        (a, b) =>
          (a.spec.priority ?? 1001) - (b.spec.priority ?? 1001) ||
          (`${a.kind} ${a.metadata.name}` < `${b.kind} ${b.metadata.name}` ? -1 : 1),
      );
  const ordered = (name: string): string | undefined => {
    for (const policy of tiers(name)) {
      for (const rule of policy.spec[direction] ?? []) {
        const list = (direction === "ingress" ? rule.from : rule.to) ?? [];
        const hit = list.some((item) => clusterPeer(world, item, peer));
        if (hit && clusterPorts(rule, query)) return rule.action;
      }
    }
    return undefined;
  };
  const admin = ordered("admin");
  if (admin === "Allow" || admin === "Accept") return true;
  if (admin === "Deny") return false;

  let isolated = false;
  let open = false;
  for (const policy of tiers("middle")) {
    const { spec, kind, metadata } = policy;
    if (kind === "NetworkPolicy") {
      const types = spec.policyTypes ?? ["Ingress", ...((spec.egress ?? []).length > 0 ? ["Egress"] : [])];
      if (!types.includes(direction === "ingress" ? "Ingress" : "Egress")) continue;
      isolated = true;
      for (const rule of spec[direction] ?? []) {
        const list = (direction === "ingress" ? rule.from : rule.to) ?? [];
        const namespace = metadata.namespace ?? "default";
        const peers = list.length === 0 || list.some((item) => plainPeer(world, item, peer, namespace, blocks));
        const ports = rule.ports ?? [];
        if (peers && (ports.length === 0 || ports.some((port) => plainPort(port, query)))) open = true;
      }
    } else {
      const deny = spec[direction === "ingress" ? "ingressDeny" : "egressDeny"] ?? [];
      const allow = spec[direction] ?? [];
      if (deny.some((rule) => ciliumRule(rule, direction, peer, query, metadata.namespace))) return false;
      if (allow.some((rule) => ciliumRule(rule, direction, peer, query, metadata.namespace))) open = true;
      if (spec.enableDefaultDeny?.[direction] ?? deny.length + allow.length > 0) isolated = true;
    }
  }
  // A denial of any Cilium policy wins over what another policy opened; the loop above returned at once for it.
  if (open) return true;
  if (isolated) return false;
  const baseline = ordered("baseline");
  return baseline !== "Deny";
}

function tierOf(kind: string, spec: AnyPolicy["spec"]): string {
  if (kind === "AdminNetworkPolicy" || spec.tier === "Admin") return "admin";
  if (kind === "BaselineAdminNetworkPolicy" || spec.tier === "Baseline") return "baseline";
  return "middle";
}

function subject(world: World, { kind, metadata, spec }: AnyPolicy, pod: Pod): boolean {
  if (kind === "NetworkPolicy") {
    return pod.namespace === (metadata.namespace ?? "default") && select(spec.podSelector, pod.labels ?? {});
  }
  if (kind === "CiliumNetworkPolicy") {
    return pod.namespace === (metadata.namespace ?? "default") && select(spec.endpointSelector, pod.labels ?? {});
  }
  if (kind === "CiliumClusterwideNetworkPolicy") return select(spec.endpointSelector, pod.labels ?? {});
  const { namespaces, pods } = spec.subject ?? {};
  if (namespaces) return select(namespaces, labelsOf(world, pod.namespace));
  return select(pods?.namespaceSelector, labelsOf(world, pod.namespace)) && select(pods?.podSelector, pod.labels ?? {});
}

function labelsOf(world: World, namespace: string): Record<string, string> {
  const found = world.namespaces.find(({ name }) => name === namespace);
  return { ...found?.labels, "kubernetes.io/metadata.name": namespace };
}

function select(selector: Selector | undefined, labels: Record<string, string>): boolean {
  const plain = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    plain &&
    (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "In") return value !== undefined && values.includes(value);
      if (operator === "NotIn") return value === undefined || !values.includes(value);
      return (operator === "Exists") === (value !== undefined);
    })
  );
}

function ips(end: End): readonly string[] {
  return "ip" in end ? [end.ip] : (end.pod.ips ?? []);
}

function inBlock(cidr: string, except: readonly string[], end: End): boolean {
  const inside = (text: string, ip: string): boolean => {
    const [address = "", prefix] = text.split("/");
    // An IPv4 address is not taken for one mapped into IPv6, as a BlockList would.
    if (isIPv6(address) !== isIPv6(ip)) return false;
    const family = isIPv6(ip) ? "ipv6" : "ipv4";
    const list = new BlockList();
    list.addSubnet(address, Number(prefix), family);
    return list.check(ip, family);
  };
  return ips(end).some((ip) => inside(cidr, ip) && !except.some((other) => inside(other, ip)));
}

function plainPeer(world: World, item: AnyPeer, peer: End, namespace: string, blocks: boolean): boolean {
  if (item.ipBlock) {
    if ("pod" in peer && !peer.pod.hostNetwork && !blocks) return false;
    return inBlock(item.ipBlock.cidr, item.ipBlock.except ?? [], peer);
  }
  if (!("pod" in peer) || peer.pod.hostNetwork) return false;
  const there = item.namespaceSelector
    ? select(item.namespaceSelector, labelsOf(world, peer.pod.namespace))
    : peer.pod.namespace === namespace;
  return there && select(item.podSelector, peer.pod.labels ?? {});
}

function clusterPeer(world: World, item: AnyPeer, peer: End): boolean {
  if (item.networks) {
    return item.networks.some((cidr) => inBlock(cidr, [], peer));
  }
  if (!("pod" in peer) || peer.pod.hostNetwork) return false;
  const labels = labelsOf(world, peer.pod.namespace);
  if (item.namespaces) return select(item.namespaces, labels);
  return select(item.pods?.namespaceSelector, labels) && select(item.pods?.podSelector, peer.pod.labels ?? {});
}

/** Container port of the destination with this name, for the port and protocol of the query. */
function nameHits(name: string, protocol: string | undefined, { to, port, protocol: asked }: Query): boolean {
  if (!("pod" in to) || (protocol !== undefined && protocol !== asked)) return false;
  return (to.pod.ports ?? []).some(
    (open) => open.name === name && open.containerPort === port && (open.protocol ?? "TCP") === asked,
  );
}

function plainPort({ protocol = "TCP", port, endPort }: AnyPort, query: Query): boolean {
  if (typeof port === "string") return nameHits(port, protocol, query);
  if (protocol !== query.protocol) return false;
  return port === undefined || (query.port >= port && query.port <= (endPort ?? port));
}

function clusterPorts(rule: AnyRule, query: Query): boolean {
  if (rule.ports) {
    if (rule.ports.length === 0) return true;
    return rule.ports.some(({ portNumber, portRange, namedPort }) => {
      if (namedPort) return nameHits(namedPort, undefined, query);
      if (portNumber) return (portNumber.protocol ?? "TCP") === query.protocol && portNumber.port === query.port;
      if (!portRange || (portRange.protocol ?? "TCP") !== query.protocol) return false;
      return query.port >= portRange.start && query.port <= portRange.end;
    });
  }
  if (!rule.protocols) return true;
  return rule.protocols.some((item) => {
    const [[key, body] = ["", undefined]] = Object.entries(item);
    if (typeof body === "string") return nameHits(body, undefined, query);
    if (key.toUpperCase() !== query.protocol) return false;
    const { number, range } = body?.destinationPort ?? {};
    if (number !== undefined) return number === query.port;
    return range !== undefined && query.port >= range.start && query.port <= range.end;
  });
}

function ciliumRule(
  rule: AnyRule,
  direction: "ingress" | "egress",
  peer: End,
  query: Query,
  namespace: string | undefined,
): boolean {
  const side = direction === "ingress" ? "from" : "to";
  const endpoints = rule[`${side}Endpoints`] as Selector[] | undefined;
  const entities = rule[`${side}Entities`] as string[] | undefined;
  const sets = rule[`${side}CIDRSet`] as { cidr: string; except?: string[] }[] | undefined;
  const ports =
    rule.toPorts === undefined || rule.toPorts.length === 0 ? undefined : rule.toPorts.flatMap((item) => item.ports);
  const anyPeer = endpoints === undefined && entities === undefined && sets === undefined;
  if (anyPeer && ports === undefined) return false;
  const outside = "ip" in peer;
  const managed = "pod" in peer && !peer.pod.hostNetwork;
  const peers =
    anyPeer ||
    (endpoints ?? []).some((item) => {
      if (!managed) return false;
      const key = "k8s:io.kubernetes.pod.namespace";
      const { [key]: wanted, ...rest } = item.matchLabels ?? {};
      const there =
        wanted === undefined
          ? namespace === undefined || peer.pod.namespace === namespace
          : peer.pod.namespace === wanted;
      return there && select({ ...item, matchLabels: rest }, peer.pod.labels ?? {});
    }) ||
    (entities ?? []).some(
      (name) => name === "all" || (name === "world" && outside) || (name === "cluster" && !outside),
    ) ||
    (sets ?? []).some(({ cidr, except = [] }) => outside && inBlock(cidr, except, peer));
  return (
    peers &&
    (ports === undefined ||
      ports.some(({ port, protocol = "ANY", endPort }) => {
        const one = protocol === "ANY" ? undefined : protocol;
        if (!/^\d+$/.test(port)) return nameHits(port, one, query);
        if (one !== undefined && one !== query.protocol) return false;
        return port === "0" || (query.port >= Number(port) && query.port <= (endPort ?? Number(port)));
      }))
  );
}
