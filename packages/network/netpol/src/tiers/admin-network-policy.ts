import { noSection, type Policy, type PolicyRef, type Rule } from "../policy.ts";
import { isPortName, readPortRange, readProtocol, type PortMatch } from "../ports.ts";
import { expectObject, fail, field, integer, isRecord, show, text, type Node } from "../read.ts";
import { readSection, readSubject, type ClusterDialect } from "./cluster-rules.ts";
import type { Resolve } from "./resolve.ts";

/** `AdminNetworkPolicy` of policy.networking.k8s.io/v1alpha1: the first rule that matches decides, or passes on. */
export function readAdminNetworkPolicy(spec: Node, ref: PolicyRef, resolve: Resolve): Policy | undefined {
  expectObject(spec, ["priority", "subject", "ingress", "egress"]);
  const priority = integer(field(spec, "priority"), 0, 1000);
  if (field(spec, "priority") === undefined) fail(spec, "needs a priority");
  const dialect = portsOf({ Allow: "allow", Deny: "deny", Pass: "pass" });
  return read(spec, ref, "admin", priority ?? 0, dialect, resolve);
}

/**
 * `BaselineAdminNetworkPolicy` of the same group: there is one, it is named `default`, and it decides for pods that no
 * NetworkPolicy isolates. Behind every ClusterNetworkPolicy of the tier, which have priorities to 1000.
 */
export function readBaselineAdminNetworkPolicy(spec: Node, ref: PolicyRef, resolve: Resolve): Policy | undefined {
  expectObject(spec, ["subject", "ingress", "egress"]);
  if (ref.name !== "default") spec.report.error("metadata.name", `must be "default", not ${show(ref.name)}`);
  return read(spec, ref, "baseline", 1001, portsOf({ Allow: "allow", Deny: "deny" }), resolve);
}

function read(
  spec: Node,
  ref: PolicyRef,
  tier: "admin" | "baseline",
  priority: number,
  dialect: ClusterDialect,
  resolve: Resolve,
): Policy | undefined {
  const subject = readSubject(spec);
  const ingress = readSection(spec, "ingress", dialect, resolve);
  const egress = readSection(spec, "egress", dialect, resolve);
  if (!subject) return undefined;
  return { ref, tier, priority, subject, ingress: orNone(ingress), egress: orNone(egress) };
}

const orNone = (section: Policy["ingress"]): Policy["ingress"] => (section.rules.length === 0 ? noSection : section);

function portsOf(actions: Record<string, Rule["action"]>): ClusterDialect {
  return { actions, most: 100, ports: "ports", readPorts };
}

/** Exactly one of `portNumber`, `portRange`, `namedPort`; the protocol of a named port is the container's. */
function readPorts(node: Node): PortMatch[] | "unknown" {
  if (!expectObject(node, ["portNumber", "portRange", "namedPort"]) || !isRecord(node.value)) return [];
  const number = field(node, "portNumber");
  const range = field(node, "portRange");
  const name = field(node, "namedPort");
  if ([number, range, name].filter((item) => item !== undefined).length !== 1) {
    fail(node, "needs exactly one of portNumber, portRange, namedPort");
    return [];
  }
  if (name) {
    const value = text(name) ?? "";
    if (!isPortName(value)) fail(name, `${show(value)} is no port name`);
    return [{ kind: "name", protocol: null, name: value }];
  }
  if (number) {
    expectObject(number, ["protocol", "port"]);
    const port = integer(field(number, "port"), 1, 65535);
    if (port === undefined && field(number, "port") === undefined) fail(number, "needs a port");
    const protocol = readProtocol(field(number, "protocol"));
    return port === undefined ? [] : [{ kind: "range", protocol, first: port, last: port }];
  }
  if (range) {
    expectObject(range, ["protocol", "start", "end"]);
    const match = readPortRange(range, readProtocol(field(range, "protocol")));
    return match ? [match] : [];
  }
  return [];
}
