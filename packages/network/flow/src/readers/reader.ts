import { isIP } from "node:net";
import { communityId } from "../community-id.ts";
import { flowOf, type Flow, type FlowProtocol } from "../flow.ts";
import { BrokenRecord, shown, text, type LogRecord } from "../record.ts";

/** One format of logs. */
export interface Reader {
  readonly name: string;
  /** Whether a record is of this format: quick, and true for one reader only. */
  recognises(record: LogRecord): boolean;
  /**
   * The flow that a record tells of; undefined for a record of the format that is about something else. Raises
   * `BrokenRecord` for one that cannot be understood.
   */
  read(record: LogRecord): Flow | undefined;
}

const numbers: Readonly<Record<string, number>> = { ICMP: 1, TCP: 6, UDP: 17, ICMP6: 58, SCTP: 132 };
const names: Readonly<Record<string, FlowProtocol>> = {
  "1": "ICMP",
  "6": "TCP",
  "17": "UDP",
  "58": "ICMP",
  "132": "SCTP",
  TCP: "TCP",
  UDP: "UDP",
  SCTP: "SCTP",
  ICMP: "ICMP",
  ICMP6: "ICMP",
  ICMPV6: "ICMP",
  "IPV6-ICMP": "ICMP",
};

export function protocolOf(value: unknown): FlowProtocol {
  return names[String(value).toUpperCase()] ?? "other";
}

/** The address, or null where the field is absent. */
export function addressOf(value: unknown, what: string): string | null {
  const address = text(value);
  if (address !== null && isIP(address) === 0) throw new BrokenRecord(`${what} is no IP address: ${shown(value)}`);
  return address;
}

/** `flowOf`, with the community id that follows from addresses and ports unless the source gave one. */
export function identified(known: Partial<Flow> & Pick<Flow, "first" | "port" | "protocol">): Flow {
  const protocol = numbers[known.protocol];
  const { client, server, clientPort, port } = known;
  // What Zeek and Suricata call ports of ICMP, type and code, is lost here; their own identity is kept.
  if (typeof known.communityId === "string" || protocol === undefined || protocol === 1) return flowOf(known);
  if (typeof client?.ip !== "string" || typeof server?.ip !== "string" || typeof clientPort !== "number") {
    return flowOf(known);
  }
  const id = communityId({ from: client.ip, to: server.ip, fromPort: clientPort, toPort: port, protocol });
  return flowOf(id === undefined ? known : { ...known, communityId: id });
}
