import { formatAddress } from "./address.ts";
import type { FlowRecord, FlowRole, OpeningRecord } from "./flow-record.ts";
import { Flaw, address, filled, isInternet, one } from "./frame.ts";

/** `struct frame_flow` and `struct frame_opening` of `c/frame.h`. */
export const FLOW = 192;
export const OPENING = 136;

const roles: readonly FlowRole[] = ["unknown", "client", "server"];

export function decodeFlow(bytes: Buffer, sequence: bigint, time: bigint): FlowRecord {
  return {
    type: "flow",
    sequence,
    time,
    pid: bytes.readUInt32LE(96),
    startTime: bytes.readBigUInt64LE(32),
    name: bytes.toString("utf8", 172, 188).replace(/\0.*$/s, ""),
    cgroup: bytes.readBigUInt64LE(40),
    networkNamespace: bytes.readUInt32LE(100),
    role: one("role", roles, bytes.readUInt8(139)),
    protocol: bytes.readUInt8(138),
    local: formatAddress(bytes.subarray(140, 156)),
    remote: formatAddress(bytes.subarray(156, 172)),
    port: bytes.readUInt16LE(132),
    firstClientPort: bytes.readUInt16LE(134),
    clientPort: bytes.readUInt16LE(136),
    first: bytes.readBigUInt64LE(48),
    last: bytes.readBigUInt64LE(56),
    bytesOut: bytes.readBigUInt64LE(64),
    bytesIn: bytes.readBigUInt64LE(72),
    packetsOut: bytes.readBigUInt64LE(80),
    packetsIn: bytes.readBigUInt64LE(88),
    begun: bytes.readUInt32LE(104),
    established: bytes.readUInt32LE(108),
    refused: bytes.readUInt32LE(112),
    timedOut: bytes.readUInt32LE(116),
    denied: bytes.readUInt32LE(120),
    encrypted: bytes.readUInt32LE(124),
    policy: bytes.readUInt32LE(128),
  };
}

export function decodeOpening(bytes: Buffer, sequence: bigint, time: bigint): OpeningRecord {
  const family = bytes.readUInt16LE(88);
  if (!isInternet(family)) throw new Flaw(`has a connection of address family ${family}`);
  filled(bytes, OPENING + bytes.readUInt16LE(128));
  return {
    type: "opening",
    sequence,
    time,
    pid: bytes.readUInt32LE(48),
    startTime: bytes.readBigUInt64LE(32),
    networkNamespace: bytes.readUInt32LE(64),
    role: one("role", roles, bytes.readUInt8(130)),
    protocol: bytes.readUInt8(132),
    fromClient: bytes.readUInt8(131) !== 0,
    local: address(bytes, family, 96, 92),
    remote: address(bytes, family, 112, 94),
    // A copy: the frame is a view of a chunk that would be kept for as long.
    bytes: Buffer.from(bytes.subarray(OPENING)),
  };
}
