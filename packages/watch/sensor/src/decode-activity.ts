import type {
  ActivityRecord,
  CallRecord,
  DeviceRecord,
  DnsRecord,
  FileRecord,
  SocketRecord,
} from "./activity-record.ts";
import { NO_PATH, path } from "./decode-process.ts";
import { readAnswer } from "./dns.ts";
import { Flaw, address, ends, filled, isInternet, one, texts } from "./frame.ts";
import { systemCall } from "./system-calls.ts";

/** `sizeof` of the structures in `c/frame.h`. */
export const CALL = 224;
export const SOCKET = 136;
export const FILE = 104;
export const SETTING = 96;
export const DEVICE = 104;
export const SIGNAL = 128;
export const DNS = 136;
export const FLOOD = 96;

type Actor = Omit<Extract<ActivityRecord, { type: "flood" }>, "type" | "passedOver">;

/** `struct frame_actor`, behind the header. */
export function decodeActor(bytes: Buffer, sequence: bigint, time: bigint): Actor {
  return {
    sequence,
    time,
    pid: bytes.readUInt32LE(48),
    startTime: bytes.readBigUInt64LE(32),
    thread: bytes.readUInt32LE(52),
    mountNamespace: bytes.readUInt32LE(56),
    pidNamespace: bytes.readUInt32LE(60),
    networkNamespace: bytes.readUInt32LE(64),
    userNamespace: bytes.readUInt32LE(68),
    uid: bytes.readUInt32LE(72),
    effectiveUid: bytes.readUInt32LE(76),
    savedUid: bytes.readUInt32LE(80),
    capabilities: bytes.readBigUInt64LE(40),
  };
}

const ARGUMENTS = 6;
const NO_TEXT = 0xffff;
const NOT_ASKED = 0;
const answers = [null, true, false] as const;

export function decodeCall(bytes: Buffer, actor: Actor): CallRecord {
  const number = bytes.readUInt32LE(144);
  const isCompat = one("architecture", [false, true], bytes.readUInt8(152));
  const answer = bytes.readUInt8(153);
  const text: (string | null)[] = [];
  let from = CALL;
  for (let i = 0; i < ARGUMENTS; i++) {
    const length = bytes.readUInt16LE(156 + 2 * i);
    text.push(length === NO_TEXT ? null : bytes.toString("utf8", from, from + length));
    if (length !== NO_TEXT) from += length;
  }
  const placeEnd = bytes.readUInt8(222);
  const placeTo = from + bytes.readUInt16LE(220);
  const place = path(bytes.toString("utf8", from, placeTo), placeEnd);
  filled(bytes, placeTo);
  const socket = ends(bytes, 168);
  return {
    type: "call",
    ...actor,
    name: systemCall(bytes.readUInt8(155), isCompat, number)?.name ?? `call_${number}`,
    isCompat,
    arguments: Array.from({ length: ARGUMENTS }, (_, i) => bytes.readBigUInt64LE(88 + 8 * i)),
    texts: text,
    capability: answer === NOT_ASKED ? null : bytes.readInt32LE(148),
    granted: one("answer", answers, answer),
    result: bytes.readUInt8(154) === 0 ? null : Number(bytes.readBigInt64LE(136)),
    ...(answer === NOT_ASKED && { isTraced: true as const }),
    ...(socket.family !== 0 && { socket }),
    ...(placeEnd !== NO_PATH && {
      opened: { place, flags: Number(bytes.readBigUInt64LE(208)), mode: bytes.readUInt32LE(216) },
    }),
  };
}

const socketOperations = ["connect", "bind", "listen", "send", "established", "closed"] as const;

export function decodeSocket(bytes: Buffer, actor: Actor): SocketRecord {
  const [path = ""] = texts(bytes, SOCKET, 132, 1);
  return {
    type: "socket",
    ...actor,
    operation: one("operation", socketOperations, bytes.readUInt8(128)),
    kind: bytes.readUInt8(129),
    protocol: bytes.readUInt16LE(130),
    ...ends(bytes, 88),
    // unix(7): an abstract name begins with NUL, a path ends in one.
    path: path.startsWith("\0") ? `@${path.slice(1)}` : path.replace(/\0.*$/s, ""),
  };
}

const fileOperations = ["read", "write", "execute", "create", "remove", "rename", "attributes", "truncate"] as const;
const IS_DIRECTORY = 1;
const THROUGH_NAMESPACE = 2;
const IS_OPEN = 4;
const BY_DESCRIPTOR = 8;
const WAS_WRITTEN = 16;

export function decodeFile(bytes: Buffer, actor: Actor): FileRecord {
  const [path = "", newPath = ""] = texts(bytes, FILE, 98, 2);
  const flags = bytes.readUInt8(97);
  return {
    type: "file",
    ...actor,
    operation: one("operation", fileOperations, bytes.readUInt8(96)),
    path,
    newPath,
    isDirectory: (flags & IS_DIRECTORY) !== 0,
    ...((flags & THROUGH_NAMESPACE) !== 0 && { isThroughNamespace: true }),
    ...((flags & IS_OPEN) !== 0 && { isOpen: true }),
    ...((flags & BY_DESCRIPTOR) !== 0 && { isByDescriptor: true }),
    ...((flags & WAS_WRITTEN) !== 0 && { wasWritten: true }),
    inode: bytes.readBigUInt64LE(88),
  };
}

export function decodeSetting(bytes: Buffer, actor: Actor): ActivityRecord {
  const [name = "", value = ""] = texts(bytes, SETTING, 92, 2);
  const operation = one("operation", ["read", "write"] as const, bytes.readUInt8(88));
  return { type: "setting", ...actor, operation, name, value };
}

const accesses = [
  [1, "make"],
  [2, "read"],
  [4, "write"],
] as const;

export function decodeDevice(bytes: Buffer, actor: Actor): DeviceRecord {
  const access = bytes.readUInt8(97);
  return {
    type: "device",
    ...actor,
    kind: one("kind of device", ["block", "character"] as const, bytes.readUInt8(96) - 1),
    major: bytes.readUInt32LE(88),
    minor: bytes.readUInt32LE(92),
    access: accesses.flatMap(([bit, name]) => ((access & bit) === 0 ? [] : [name])),
  };
}

export function decodeSignal(bytes: Buffer, actor: Actor): ActivityRecord {
  return {
    type: "signal",
    ...actor,
    signal: bytes.readUInt32LE(104),
    target: {
      pid: bytes.readUInt32LE(96),
      startTime: bytes.readBigUInt64LE(88),
      name: bytes.toString("utf8", 108, 124).replace(/\0.*$/s, ""),
      pidNamespace: bytes.readUInt32LE(100),
    },
  };
}

/** Undefined where the message is none that tells anything: what a container receives may be anything. */
export function decodeDns(bytes: Buffer, actor: Actor): DnsRecord | undefined {
  const family = bytes.readUInt16LE(88);
  if (!isInternet(family)) throw new Flaw(`has a packet of address family ${family}`);
  filled(bytes, DNS + bytes.readUInt16LE(128));
  const answer = readAnswer(bytes.subarray(DNS));
  if (!answer) return undefined;
  const [client, server] = [address(bytes, family, 96, 92), address(bytes, family, 112, 94)];
  return { type: "dns", ...actor, ...answer, client, server, protocol: bytes[132] === 6 ? "TCP" : "UDP" };
}

export function decodeFlood(bytes: Buffer, actor: Actor): ActivityRecord {
  return { type: "flood", ...actor, passedOver: bytes.readBigUInt64LE(88) };
}
