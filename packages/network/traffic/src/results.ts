import type { FlowProtocol, FlowResult } from "@bulwark/flow";
import type { FlowRecord } from "@bulwark/sensor";

/** What one result of a record comes to. */
export interface Part {
  readonly result: FlowResult;
  readonly connections: number;
  readonly encrypted: boolean;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly packetsOut: number;
  readonly packetsIn: number;
}

const protocols: Readonly<Record<number, FlowProtocol>> = { 1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMP", 132: "SCTP" };

export function protocolOf({ protocol }: FlowRecord): FlowProtocol {
  return protocols[protocol] ?? "other";
}

/**
 * A record by its results, as one record counts all connections of its time. Bytes are of those that were answered. Nothing
 * where connections have only been begun: what becomes of them is told later. `continues`: the first of the conversations was
 * told of before.
 */
export function partsOf(record: FlowRecord, continues: boolean): Part[] {
  const { established, refused, timedOut, denied, encrypted, begun, role } = record;
  const [bytesOut, bytesIn] = [Number(record.bytesOut), Number(record.bytesIn)];
  const [packetsOut, packetsIn] = [Number(record.packetsOut), Number(record.packetsIn)];
  const out = role === "server" ? { bytesOut: bytesIn, bytesIn: bytesOut } : { bytesOut, bytesIn };
  const counts = {
    ...out,
    ...(role === "server" ? { packetsOut: packetsIn, packetsIn: packetsOut } : { packetsOut, packetsIn }),
  };
  const none = { encrypted: false, bytesOut: 0, bytesIn: 0, packetsOut: 0, packetsIn: 0 };
  const failed = (
    [
      ["refused", refused],
      ["timed-out", timedOut],
      ["denied", denied],
    ] as const
  ).flatMap(([result, connections]): Part[] => (connections > 0 ? [{ ...none, result, connections }] : []));
  if (protocolOf(record) !== "TCP") {
    const connections = Math.max(0, begun - (continues ? 1 : 0));
    if (packetsOut + packetsIn === 0) return failed;
    const result = packetsOut > 0 && packetsIn > 0 ? "established" : "unknown";
    return [{ ...counts, result, connections, encrypted: encrypted > 0 }, ...failed];
  }
  const isOpen = established > 0 || bytesOut + bytesIn > 0 || (begun === 0 && failed.length === 0);
  if (!isOpen) return failed.map((part, index) => (index === 0 ? { ...part, ...counts } : part));
  // Both, in clear text and not, to one port: the bytes go with the encrypted ones.
  const inTls = Math.min(encrypted, established);
  const parts: Part[] = [{ ...counts, result: "established", connections: inTls || established, encrypted: inTls > 0 }];
  if (inTls > 0 && inTls < established) {
    parts.push({ ...none, result: "established", connections: established - inTls });
  }
  return [...parts, ...failed];
}
