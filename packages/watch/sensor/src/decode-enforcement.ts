import { Flaw, filled, one } from "./frame.ts";
import type { EnforcementWay } from "./policy.ts";
import type { EnforcementRecord, ReplyRecord } from "./record.ts";

/** `struct frame_reply` and `struct frame_enforcement` of `c/frame.h`. */
export const REPLY = 48;
export const ENFORCEMENT = 72;

const ways: readonly EnforcementWay[] = ["refuse-exec", "end-exec", "refuse-connect", "drop-packets"];
const states = ["lasts", "time-is-over", "undone", "container-ended"] as const;

export function decodeReply(bytes: Buffer, sequence: bigint, time: bigint): ReplyRecord {
  const end = REPLY + bytes.readUInt16LE(46);
  filled(bytes, end);
  const bits = bytes[45] ?? 0;
  if (bits >> ways.length !== 0) throw new Flaw(`has the ways ${bits}`);
  const [message = "", remedy = ""] = bytes.toString("utf8", REPLY, end).split("\n");
  return {
    type: "reply",
    sequence,
    time,
    id: bytes.readBigUInt64LE(32),
    guard: bytes.readUInt32LE(40),
    ways: ways.filter((_, index) => (bits & (1 << index)) !== 0),
    refusal: bytes[44] === 0 ? null : { message, remedy },
  };
}

export function decodeEnforcement(bytes: Buffer, sequence: bigint, time: bigint): EnforcementRecord {
  const end = ENFORCEMENT + bytes.readUInt16LE(66);
  filled(bytes, end);
  return {
    type: "enforcement",
    sequence,
    time,
    id: bytes.readBigUInt64LE(32),
    prevented: bytes.readBigUInt64LE(40),
    caught: bytes.readBigUInt64LE(48),
    missed: bytes.readBigUInt64LE(56),
    state: one("state", states, bytes[64] ?? 255),
    program: bytes.toString("utf8", ENFORCEMENT, end),
    pid: bytes.readUInt32LE(68),
  };
}
