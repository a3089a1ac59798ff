import { parseAddress, parseCidr, single, type AddressBlock } from "../address.ts";
import type { Direction, Peer, PeerMatch, PodSet, Policy, PolicyRef, Rule, Section } from "../policy.ts";
import { podsPeer, readBlock } from "../peer.ts";
import { allPorts, protocols, type PortMatch, type Protocol } from "../ports.ts";
import { expectObject, fail, field, integer, items, show, text, type Node } from "../read.ts";
import { everything, readSelector, type Selector } from "../selector.ts";
import type { Resolve } from "./resolve.ts";

/**
 * `CiliumNetworkPolicy` and `CiliumClusterwideNetworkPolicy` of cilium.io/v2, what they say about addresses and ports.
 * They stand in the same tier as NetworkPolicy: rules open, a rule that denies beats every rule that allows, and a
 * section closes the direction unless `enableDefaultDeny` says no (cilium/pkg/policy/api/rule_validation.go).
 */
export function readCiliumNetworkPolicy(object: Node, ref: PolicyRef, resolve: Resolve): Policy[] {
  const spec = field(object, "spec");
  const specs = items(field(object, "specs"));
  if (!spec && specs.length === 0) fail(object, "needs a spec, or specs");
  return [...(spec ? [spec] : []), ...specs].flatMap((node) => readSpec(node, ref, resolve) ?? []);
}

const sections = ["ingress", "ingressDeny", "egress", "egressDeny"] as const;

function readSpec(spec: Node, ref: PolicyRef, resolve: Resolve): Policy | undefined {
  expectObject(spec, [
    "endpointSelector",
    "nodeSelector",
    "enableDefaultDeny",
    "labels",
    "description",
    "log",
    ...sections,
  ]);
  const selector = field(spec, "endpointSelector");
  const host = field(spec, "nodeSelector");
  if (selector && host) fail(spec, "cannot have both endpointSelector and nodeSelector");
  if (!selector && !host) fail(spec, "needs an endpointSelector; {} is every pod");
  const used = sections.filter((name) => items(field(spec, name)).length > 0);
  if (used.length === 0) spec.report.warning(spec.path, `has no effect: it has none of ${sections.join(", ")}`);
  const posture = field(spec, "enableDefaultDeny");
  if (posture) expectObject(posture, ["ingress", "egress"]);
  const context: Context = { namespace: ref.namespace, resolve };
  const subject: PodSet = { ...scope(ref.namespace), pods: readLabels(selector), dialect: "cilium" };
  const read = (direction: Direction): Section => {
    const rules = [
      ...readRules(field(spec, `${direction}Deny`), "deny", direction, context),
      ...readRules(field(spec, direction), "allow", direction, context),
    ];
    return { isolates: boolean(posture && field(posture, direction)) ?? rules.length > 0, rules };
  };
  const policy: Policy = {
    ref,
    tier: "network-policy",
    priority: 0,
    subject,
    ingress: read("ingress"),
    egress: read("egress"),
  };
  if (!host) return policy;
  spec.report.warning(
    `${spec.path}.nodeSelector`,
    "is a policy for nodes, which is not looked at: it has no effect on pods",
  );
  return undefined;
}

interface Context {
  readonly namespace: string | null;
  readonly resolve: Resolve;
}

function boolean(node: Node | undefined): boolean | undefined {
  if (node === undefined) return undefined;
  if (typeof node.value === "boolean") return node.value;
  fail(node, `must be true or false, not ${show(node.value)}`);
  return undefined;
}

function scope(namespace: string | null): Pick<PodSet, "namespaces"> {
  return { namespaces: namespace === null ? { selector: everything } : { name: namespace } };
}

function readRules(list: Node | undefined, action: "allow" | "deny", direction: Direction, context: Context): Rule[] {
  return items(list).map((node, index) => {
    // A lone dash in YAML is the empty rule, as for Cilium's own reader.
    const rule = node.value === null ? { ...node, value: {} } : node;
    return readRule(rule, index, action, direction, context);
  });
}

const notModelled = ["Groups", "Services", "Requires"];

function readRule(node: Node, index: number, action: "allow" | "deny", direction: Direction, context: Context): Rule {
  const side = direction === "ingress" ? "from" : "to";
  const lists = ["Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes", "FQDNs", ...notModelled].map(
    (name) => side + name,
  );
  expectObject(node, [...lists, "toPorts", "icmps", "authentication"]);
  const present = lists.filter((name) => field(node, name) !== undefined && !name.endsWith("Requires"));
  const filled = present.filter((name) => items(field(node, name)).length > 0);
  if (filled.length > 1) fail(node, `cannot combine ${filled.join(" and ")}; make each a rule of its own`);
  const requires = field(node, `${side}Requires`);
  if (requires) fail(requires, "is not supported (nor by Cilium since 1.17); say it in the selectors of the endpoints");

  const written = present.flatMap((name) =>
    items(field(node, name)).map((item) => ({ name: name.slice(side.length), item })),
  );
  const peers = written.map(({ name, item }, at): Peer | undefined => {
    const match = readPeer(name, item, action, context);
    return match && { path: item.path, index: at, match };
  });
  const { ports, layer7 } = readToPorts(node, direction);
  // Only ports: from everybody. Neither peers nor ports: the rule matches nothing, it only closes the direction.
  const anyPeer = present.length === 0 && ports !== null;
  const unknown = action === "deny" && peers.includes(undefined);
  return {
    action,
    path: node.path,
    index,
    name: null,
    ports,
    peers: anyPeer || unknown ? null : peers.filter((peer) => peer !== undefined),
    layer7,
  };
}

/** Undefined: what it stands for cannot be told here. An allowing rule then matches nothing, a denying one everybody. */
function readPeer(
  list: string,
  node: Node,
  action: "allow" | "deny",
  { namespace, resolve }: Context,
): PeerMatch | undefined {
  switch (list) {
    case "Endpoints":
      return readEndpoints(node, namespace);
    case "CIDR":
      return outside(readCidrOrAddress(node));
    case "CIDRSet": {
      if (!field(node, "cidrGroupRef") && !field(node, "cidrGroupSelector")) {
        const block = readBlock(node);
        return outside(block ? [block] : []);
      }
      break;
    }
    case "Entities":
      return readEntity(node, text(node) ?? "", resolve);
    case "Nodes":
      return { kind: "nodes", nodes: readLabels(node) };
    case "FQDNs": {
      expectObject(node, ["matchName", "matchPattern"]);
      const name = text(field(node, "matchName")) ?? text(field(node, "matchPattern"));
      if (name === undefined) fail(node, "needs a matchName or a matchPattern");
      return outside(name === undefined ? [] : resolve.domain(node, name));
    }
  }
  const effect = action === "allow" ? "allows nothing" : "denies everybody";
  node.report.warning(node.path, `stands for addresses that cannot be told from files; here it ${effect}`);
  return undefined;
}

/** CIDRs are for what is outside: they match neither pods nor nodes (Cilium, "CIDR based"). */
function outside(blocks: readonly AddressBlock[]): PeerMatch {
  return { kind: "addresses", blocks, matches: { pods: false, nodes: false } };
}

/** Unlike everywhere else a bare address is taken as well. */
function readCidrOrAddress(node: Node): AddressBlock[] {
  const value = text(node);
  if (value === undefined) return [];
  const address = parseAddress(value);
  const range = address ? single(address) : parseCidr(value);
  if (!range) fail(node, `${show(value)} is no CIDR such as 10.0.0.0/8 or fd00::/8`);
  return range ? [{ range, except: [] }] : [];
}

const namespaceKey = /^(?:k8s:|any:)?io\.kubernetes\.pod\.namespace$/;
const namespaceLabels = /^(?:k8s:|any:)?io\.cilium\.k8s\.namespace\.labels\./;
const reserved = /^reserved[:.]/;

/** Without a word about the namespace, that of the policy is meant; in a policy for the cluster, every pod. */
function readEndpoints(node: Node, namespace: string | null): PeerMatch {
  const pods = readLabels(node);
  const keys = pods.requirements.map(({ label }) => label);
  const own = reservedEntity(node, pods);
  if (own) return own;
  const says = keys.some((key) => namespaceKey.test(key) || namespaceLabels.test(key));
  return podsPeer({ ...scope(says ? null : namespace), pods, dialect: "cilium" });
}

function reservedEntity(node: Node, { requirements }: Selector): PeerMatch | undefined {
  const found = requirements.find(({ label }) => reserved.test(label));
  if (!found) return undefined;
  const entity = entities.get(found.label.replace(reserved, ""));
  if (entity && requirements.length === 1) return entity;
  node.report.warning(node.path, `${show(found.label)} is a label that no pod has; the selector matches nothing`);
  return { kind: "nothing" };
}

function readLabels(node: Node | undefined): Selector {
  return readSelector(node, /^(?:k8s|any|reserved|container|cidr|unspec):/);
}

const entities = new Map<string, PeerMatch>(
  Object.entries({
    all: { kind: "entity", entity: "all" },
    world: { kind: "entity", entity: "world" },
    "world-ipv4": { kind: "entity", entity: "world-ipv4" },
    "world-ipv6": { kind: "entity", entity: "world-ipv6" },
    cluster: { kind: "entity", entity: "cluster" },
    host: { kind: "entity", entity: "nodes" },
    "remote-node": { kind: "entity", entity: "nodes" },
    none: { kind: "nothing" },
  } satisfies Record<string, PeerMatch>),
);
const addressed = ["kube-apiserver", "health", "init", "ingress", "unmanaged"];

function readEntity(node: Node, name: string, resolve: Resolve): PeerMatch {
  const known = entities.get(name);
  if (known) return known;
  if (!addressed.includes(name)) {
    fail(node, `must be one of ${[...entities.keys(), ...addressed].join(", ")}, not ${show(node.value)}`);
    return { kind: "nothing" };
  }
  return { kind: "addresses", blocks: resolve.entity(node, name), matches: { pods: false, nodes: true } };
}

function readToPorts(rule: Node, direction: Direction): { ports: PortMatch[] | null; layer7: boolean } {
  const list = field(rule, "toPorts");
  const icmps = field(rule, "icmps");
  if (icmps) rule.report.warning(icmps.path, "is about ICMP, which is not looked at: it matches no port");
  if (icmps && list) fail(icmps, "cannot stand beside toPorts");
  const written = items(list);
  if (written.length === 0) return { ports: icmps ? [] : null, layer7: false };
  let layer7 = false;
  const ports = written.flatMap((item) => {
    expectObject(item, ["ports", "rules", "serverNames", "listener", "terminatingTLS", "originatingTLS"]);
    const narrowed = ["rules", "serverNames", "listener"].find((name) => field(item, name));
    if (narrowed) {
      layer7 = true;
      item.report.warning(
        `${item.path}.${narrowed}`,
        `is not looked at: what it narrows further in ${direction} shows as allowed`,
      );
    }
    const each = items(field(item, "ports"), 40);
    if (each.length === 0) item.report.warning(item.path, "names no ports, so it matches none");
    return each.flatMap((port) => readPort(port));
  });
  return { ports, layer7 };
}

/** `port` is a string: a number, `0` for every port, or a name. Without a protocol, or with ANY, each of them. */
function readPort(node: Node): PortMatch[] {
  expectObject(node, ["port", "endPort", "protocol"]);
  const written = text(field(node, "port"));
  if (field(node, "port") === undefined) fail(node, "needs a port");
  const protocol = (text(field(node, "protocol")) ?? "ANY").toUpperCase();
  const of = protocol === "ANY" || protocol === "" ? protocols : protocols.filter((name) => name === protocol);
  if (of.length === 0 && !["ICMP", "ICMPV6", "VRRP", "IGMP"].includes(protocol)) {
    fail(node, `protocol must be one of ${protocols.join(", ")}, ANY, not ${show(protocol)}`);
  }
  const endPort = integer(field(node, "endPort"), 0, 65535);
  if (written === undefined) return [];
  if (/^\d+$/.test(written)) return numbered(node, Number(written), endPort, of);
  if (!/^[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/i.test(written)) fail(node, `${show(written)} is no port`);
  if (endPort) fail(node, "endPort cannot stand beside a port that is a name");
  const name = written.toLowerCase();
  if (of.length === protocols.length) return [{ kind: "name", protocol: null, name }];
  return of.map((one) => ({ kind: "name", protocol: one, name }));
}

function numbered(node: Node, first: number, endPort: number | undefined, of: readonly Protocol[]): PortMatch[] {
  if (first > 65535) {
    fail(node, `port must be at most 65535, not ${first}`);
    return [];
  }
  if (first === 0) return allPorts(...of);
  const last = endPort === undefined || endPort === 0 ? first : endPort;
  if (last < first) fail(node, `endPort ${last} must not be less than port ${first}`);
  return of.map((protocol) => ({ kind: "range", protocol, first, last }));
}
