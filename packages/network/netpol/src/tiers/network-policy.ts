import {
  noSection,
  type Direction,
  type Peer,
  type PeerMatch,
  type Policy,
  type PolicyRef,
  type Rule,
  type Section,
} from "../policy.ts";
import { podsPeer, readBlock } from "../peer.ts";
import { allPorts, readPortNumberOrName, readProtocol, type PortMatch } from "../ports.ts";
import { expectObject, fail, field, integer, items, oneOf, type Node } from "../read.ts";
import { everything, readSelector } from "../selector.ts";

/**
 * `NetworkPolicy` of networking.k8s.io/v1. A pod that any policy selects in a direction is closed in it; rules only
 * ever open, and their union counts. Validation as in kubernetes/pkg/apis/networking/validation.
 */
export function readNetworkPolicy(spec: Node, ref: PolicyRef): Policy {
  expectObject(spec, ["podSelector", "policyTypes", "ingress", "egress"]);
  const namespace = ref.namespace ?? "default";
  const types = policyTypes(spec);
  return {
    ref,
    tier: "network-policy",
    priority: 0,
    subject: {
      namespaces: { name: namespace },
      pods: readSelector(field(spec, "podSelector")),
      dialect: "kubernetes",
    },
    ingress: section(spec, "ingress", types, namespace),
    egress: section(spec, "egress", types, namespace),
  };
}

/** Without `policyTypes`: ingress always, egress when there is a rule for it (SetDefaults_NetworkPolicy). */
function policyTypes(spec: Node): ReadonlySet<string> {
  const listed = items(field(spec, "policyTypes"), 2).map((item) => oneOf(item, ["Ingress", "Egress"]));
  const types = new Set(listed.filter((type) => type !== undefined));
  if (listed.length > 0) return types;
  const egress = field(spec, "egress")?.value;
  return new Set(Array.isArray(egress) && egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"]);
}

function section(spec: Node, direction: Direction, types: ReadonlySet<string>, namespace: string): Section {
  const list = field(spec, direction);
  const rules = items(list).map((item, index) => readRule(item, index, direction, namespace));
  if (types.has(direction === "ingress" ? "Ingress" : "Egress")) return { isolates: true, rules };
  if (list && rules.length > 0) {
    list.report.warning(
      list.path,
      `has no effect: policyTypes does not list ${direction === "ingress" ? "Ingress" : "Egress"}`,
    );
  }
  return noSection;
}

function readRule(written: Node, index: number, direction: Direction, namespace: string): Rule {
  const node = written.value === null ? emptyRule(written) : written;
  const side = direction === "ingress" ? "from" : "to";
  expectObject(node, [side, "ports"]);
  const peers = items(field(node, side)).map((item, at): Peer => ({
    path: item.path,
    index: at,
    match: readPeer(item, namespace),
  }));
  const ports = items(field(node, "ports")).flatMap((item) => readPort(item));
  return {
    action: "allow",
    path: node.path,
    index,
    name: null,
    ports: ports.length === 0 ? null : ports,
    peers: peers.length === 0 ? null : peers,
    layer7: false,
  };
}

/** A lone dash in YAML: the API server takes it as `{}`, which allows everything. */
function emptyRule(node: Node): Node {
  node.report.warning(node.path, "is an empty rule, which allows everything; write {} if that is meant");
  return { ...node, value: {} };
}

function readPeer(node: Node, namespace: string): PeerMatch {
  if (!expectObject(node, ["podSelector", "namespaceSelector", "ipBlock"])) return { kind: "nothing" };
  const pods = field(node, "podSelector");
  const namespaces = field(node, "namespaceSelector");
  const block = field(node, "ipBlock");
  if (block) {
    if (pods || namespaces)
      fail(node, "ipBlock cannot stand beside podSelector or namespaceSelector; make it an item of its own");
    const read = readBlock(block);
    return { kind: "addresses", blocks: read ? [read] : [], matches: { pods: "option", nodes: true } };
  }
  if (!pods && !namespaces)
    fail(node, "needs one of podSelector, namespaceSelector, ipBlock; podSelector: {} is every pod of the namespace");
  return podsPeer({
    namespaces: namespaces ? { selector: readSelector(namespaces) } : { name: namespace },
    pods: pods ? readSelector(pods) : everything,
    dialect: "kubernetes",
  });
}

function readPort(node: Node): PortMatch[] {
  if (!expectObject(node, ["protocol", "port", "endPort"])) return [];
  const protocol = readProtocol(field(node, "protocol"));
  const port = field(node, "port");
  const endPort = field(node, "endPort");
  if (port === undefined) {
    if (endPort) fail(endPort, "needs a port to start from");
    return allPorts(protocol);
  }
  const first = readPortNumberOrName(port);
  if (typeof first === "string") {
    if (endPort) fail(endPort, "cannot stand beside a port that is a name");
    return [{ kind: "name", protocol, name: first }];
  }
  if (first === undefined) return [];
  const last = endPort ? integer(endPort, 1, 65535) : first;
  if (last === undefined) return [];
  if (last < first) fail(endPort ?? node, `must not be less than port ${first}`);
  return [{ kind: "range", protocol, first, last }];
}
