import type { Direction, Peer, PeerMatch, PodSet, Rule, Section } from "../policy.ts";
import { readPods, podsPeer, readCidr } from "../peer.ts";
import type { PortMatch } from "../ports.ts";
import type { Resolve } from "./resolve.ts";
import { expectObject, fail, field, isRecord, items, oneOf, text, type Node } from "../read.ts";
import { readSelector } from "../selector.ts";

/** What differs between the kinds of policy.networking.k8s.io. */
export interface ClusterDialect {
  readonly actions: Readonly<Record<string, Rule["action"]>>;
  /** Items of a list of rules, of peers, of ports. */
  readonly most: number;
  readonly ports: "ports" | "protocols";
  readPorts(node: Node): PortMatch[] | "unknown";
}

/** `subject`: exactly one of `namespaces` and `pods`. */
export function readSubject(spec: Node): PodSet | undefined {
  const subject = field(spec, "subject");
  if (subject === undefined) {
    fail(spec, "needs a subject");
    return undefined;
  }
  expectObject(subject, ["namespaces", "pods"]);
  const pods = readPods(subject);
  if (!pods || (field(subject, "namespaces") && field(subject, "pods")))
    fail(subject, "needs exactly one of namespaces, pods");
  return pods;
}

export function readSection(spec: Node, direction: Direction, dialect: ClusterDialect, resolve: Resolve): Section {
  const rules = items(field(spec, direction), dialect.most);
  return { isolates: false, rules: rules.map((item, index) => readRule(item, index, direction, dialect, resolve)) };
}

function readRule(node: Node, index: number, direction: Direction, dialect: ClusterDialect, resolve: Resolve): Rule {
  const side = direction === "ingress" ? "from" : "to";
  expectObject(node, ["name", "action", side, dialect.ports]);
  const name = text(field(node, "name")) ?? null;
  if (name !== null && name.length > 100) node.report.error(`${node.path}.name`, "is longer than 100 characters");
  const written = oneOf(field(node, "action"), Object.keys(dialect.actions));
  if (field(node, "action") === undefined) fail(node, `needs an action: ${Object.keys(dialect.actions).join(", ")}`);
  const action = dialect.actions[written ?? ""] ?? "deny";

  const list = items(field(node, side), dialect.most);
  if (list.length === 0) fail(node, `needs at least one item in ${side}`);
  const peers = list.map((item, at) => ({
    path: item.path,
    index: at,
    match: readPeer(item, direction, action, resolve),
  }));
  const written2 = field(node, dialect.ports);
  const ports = items(written2, dialect.most).map((item) => dialect.readPorts(item));
  if (written2 && dialect.ports === "protocols" && Array.isArray(written2.value) && ports.length === 0) {
    fail(written2, "needs at least one item, or to be left out for every protocol");
  }
  const named = ports.some((port) => port !== "unknown" && port.some(({ kind }) => kind === "name"));
  if (named && peers.some(({ match }) => match !== "unknown" && match.kind !== "pods")) {
    fail(node, "a named port cannot stand beside networks, nodes or domainNames, which have no names for ports");
  }
  const rule = { path: node.path, index, name, layer7: false };
  if (peers.some(({ match }) => match === "unknown") || ports.includes("unknown")) return failClosed(rule, action);
  return {
    ...rule,
    action,
    ports: ports.length === 0 ? null : ports.flat().filter((port) => port !== "unknown"),
    peers: peers.filter((peer): peer is Peer => peer.match !== "unknown"),
  };
}

/**
 * A field that is not known here comes from a newer API. What it says cannot be told, so the rule fails closed, as the
 * API's own documentation demands: an allowing one matches nothing, any other denies everything.
 */
function failClosed(rule: Pick<Rule, "path" | "index" | "name" | "layer7">, action: Rule["action"]): Rule {
  if (action === "allow") return { ...rule, action, ports: null, peers: [] };
  return { ...rule, action: "deny", ports: null, peers: null };
}

const podFields = ["namespaces", "pods"];
const peerFields: Record<Direction, readonly string[]> = {
  ingress: podFields,
  egress: [...podFields, "nodes", "networks", "domainNames"],
};

function readPeer(node: Node, direction: Direction, action: Rule["action"], resolve: Resolve): PeerMatch | "unknown" {
  const fields = peerFields[direction];
  if (!expectObject(node, fields, "ignore") || !isRecord(node.value)) return { kind: "nothing" };
  const set = Object.keys(node.value).filter((key) => field(node, key) !== undefined);
  const known = set.filter((key) => fields.includes(key));
  if (known.length === 0 || known.length < set.length) {
    const what = set.length === 0 ? "names no peer" : `has fields that are not known (${set.join(", ")})`;
    node.report.warning(node.path, `${what}; the rule fails closed: ${closedText(action)}`);
    return "unknown";
  }
  if (known.length > 1) fail(node, `needs exactly one of ${fields.join(", ")}`);
  const pods = readPods(node);
  if (pods) return podsPeer(pods);
  const nodes = field(node, "nodes");
  if (nodes) return { kind: "nodes", nodes: readSelector(nodes) };
  const names = field(node, "domainNames");
  if (names) {
    if (action !== "allow") fail(names, "domainNames are only for rules that accept");
    const blocks = items(names, 25).flatMap((item) => resolve.domain(item, text(item) ?? ""));
    return { kind: "addresses", blocks, matches: { pods: false, nodes: false } };
  }
  const ranges = items(field(node, "networks"), 25).map((item) => readCidr(item));
  const blocks = ranges.filter((range) => range !== undefined).map((range) => ({ range, except: [] }));
  return { kind: "addresses", blocks, matches: { pods: true, nodes: true } };
}

export function closedText(action: Rule["action"]): string {
  return action === "allow" ? "it allows nothing" : "it denies everything";
}
