import { fail, field, integer, oneOf, show, text, type Node } from "./read.ts";

export const protocols = ["TCP", "UDP", "SCTP"] as const;
export type Protocol = (typeof protocols)[number];

/** A port that a container of a pod declares. */
export interface ContainerPort {
  readonly name?: string | undefined;
  readonly containerPort: number;
  /** TCP when absent. */
  readonly protocol?: Protocol | undefined;
}

/** What a rule says about the destination port: a range of one protocol, or a name that the destination resolves. */
export type PortMatch =
  | { readonly kind: "range"; readonly protocol: Protocol; readonly first: number; readonly last: number }
  /** Without a protocol the name may be of any. */
  | { readonly kind: "name"; readonly protocol: Protocol | null; readonly name: string };

/** Every port of these protocols; Kubernetes counts from 1, a flow may still come from or go to 0. */
export function allPorts(...of: readonly Protocol[]): PortMatch[] {
  return of.map((protocol) => ({ kind: "range", protocol, first: 0, last: 65535 }));
}

/** Whether a connection to `port` of a destination with these container ports matches. None matches everything. */
export function portMatches(
  list: readonly PortMatch[] | null,
  protocol: Protocol,
  port: number,
  destination: readonly ContainerPort[],
): boolean {
  if (list === null) return true;
  for (const match of list) {
    if (match.kind === "range") {
      if (match.protocol === protocol && port >= match.first && port <= match.last) return true;
    } else if (match.protocol === null || match.protocol === protocol) {
      for (const open of destination) {
        if (open.containerPort === port && open.name === match.name && (open.protocol ?? "TCP") === protocol)
          return true;
      }
    }
  }
  return false;
}

export function readProtocol(node: Node | undefined): Protocol {
  return oneOf(node, protocols) ?? "TCP";
}

/** A port by number or by name; `report` says what else it is. */
export function readPortNumberOrName(node: Node): number | string | undefined {
  if (typeof node.value === "number") return integer(node, 1, 65535);
  const name = text(node);
  if (name === undefined) return undefined;
  if (isPortName(name)) return name;
  fail(
    node,
    `${show(name)} is no port name (at most 15 of a-z, 0-9 and -, one letter at least); a number takes no quotes`,
  );
  return undefined;
}

/** As `IsValidPortName` of k8s.io/apimachinery/pkg/util/validation (RFC 6335, section 5.1). */
export function isPortName(name: string): boolean {
  if (name.length > 15 || !/^[a-z0-9-]+$/.test(name) || !/[a-z]/.test(name)) return false;
  return !name.includes("--") && !name.startsWith("-") && !name.endsWith("-");
}

/** `{start, end}`, both given, `end` greater (network-policy-api). */
export function readPortRange(node: Node, protocol: Protocol): PortMatch | undefined {
  const first = integer(field(node, "start"), 1, 65535);
  const last = integer(field(node, "end"), 1, 65535);
  if (first === undefined || last === undefined) {
    fail(node, "needs start and end");
    return undefined;
  }
  if (first >= last) {
    fail(node, `start ${first} must be less than end ${last}`);
    return undefined;
  }
  return { kind: "range", protocol, first, last };
}
