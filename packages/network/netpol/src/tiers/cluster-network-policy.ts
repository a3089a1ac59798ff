import type { Policy, PolicyRef } from "../policy.ts";
import { isPortName, readPortRange, type PortMatch, type Protocol } from "../ports.ts";
import { expectObject, fail, field, integer, isRecord, oneOf, show, text, type Node } from "../read.ts";
import { closedText, readSection, readSubject, type ClusterDialect } from "./cluster-rules.ts";
import type { Resolve } from "./resolve.ts";

/**
 * `ClusterNetworkPolicy` of policy.networking.k8s.io/v1alpha2: in the tier Admin or Baseline, by priority, the first
 * rule that matches decides, or passes on. Unlike in v1alpha1, `networks` match pods too.
 */
export function readClusterNetworkPolicy(spec: Node, ref: PolicyRef, resolve: Resolve): Policy | undefined {
  expectObject(spec, ["tier", "priority", "subject", "ingress", "egress"]);
  const tier = oneOf(field(spec, "tier"), ["Admin", "Baseline"]);
  if (field(spec, "tier") === undefined) fail(spec, "needs a tier: Admin or Baseline");
  const priority = integer(field(spec, "priority"), 0, 1000);
  if (field(spec, "priority") === undefined) fail(spec, "needs a priority");
  const subject = readSubject(spec);
  const ingress = readSection(spec, "ingress", dialect, resolve);
  const egress = readSection(spec, "egress", dialect, resolve);
  if (!subject || tier === undefined) return undefined;
  return { ref, tier: tier === "Admin" ? "admin" : "baseline", priority: priority ?? 0, subject, ingress, egress };
}

const dialect: ClusterDialect = {
  actions: { Accept: "allow", Deny: "deny", Pass: "pass" },
  most: 25,
  ports: "protocols",
  readPorts,
};

const byField = new Map<string, Protocol>([
  ["tcp", "TCP"],
  ["udp", "UDP"],
  ["sctp", "SCTP"],
]);

/** Exactly one of `tcp`, `udp`, `sctp` with a `destinationPort`, or a `destinationNamedPort` of any protocol. */
function readPorts(node: Node): PortMatch[] | "unknown" {
  if (!isRecord(node.value)) {
    expectObject(node, []);
    return [];
  }
  const keys = Object.keys(node.value).filter((key) => field(node, key) !== undefined);
  if (keys.length > 1) fail(node, "needs exactly one of tcp, udp, sctp, destinationNamedPort");
  const [key = ""] = keys;
  const name = field(node, "destinationNamedPort");
  if (name) {
    const value = text(name) ?? "";
    if (!isPortName(value)) fail(name, `${show(value)} is no port name`);
    return [{ kind: "name", protocol: null, name: value }];
  }
  const protocol = byField.get(key);
  const body = field(node, key);
  if (protocol === undefined || !body) {
    node.report.warning(
      node.path,
      `names no protocol that is known; the rule fails closed: ${closedText("allow")}, or ${closedText("deny")}`,
    );
    return "unknown";
  }
  expectObject(body, ["destinationPort"]);
  const port = field(body, "destinationPort");
  if (!port) fail(body, "needs a destinationPort");
  return port ? readDestination(port, protocol) : [];
}

function readDestination(node: Node, protocol: Protocol): PortMatch[] {
  expectObject(node, ["number", "range"]);
  const number = field(node, "number");
  const range = field(node, "range");
  if ((number === undefined) === (range === undefined)) fail(node, "needs exactly one of number, range");
  if (range) {
    expectObject(range, ["start", "end"]);
    const match = readPortRange(range, protocol);
    return match ? [match] : [];
  }
  const port = integer(number, 1, 65535);
  return port === undefined ? [] : [{ kind: "range", protocol, first: port, last: port }];
}
