import { isIP, isIPv4 } from "node:net";
import { SensorError } from "./error.ts";

/** Peers of connections, by address and port. */
export interface PeerRule {
  /** `10.0.0.0/8`, `2001:db8::1`, `0.0.0.0/0`. An IPv4 address inside of IPv6 is IPv4. */
  peer: string;
  /** First and last; absent: every port. */
  ports?: readonly [number, number];
  allows: boolean;
}

/** What of its programs and network a container is kept from. */
export type PolicyRules =
  | {
      kind: "exec";
      /** As they are called inside of the container; one that ends in a slash is everything below it. */
      paths: readonly string[];
      /** Programs of the writable layer, from memory, from volumes; the first and last only where its root is an overlay. */
      origins: readonly ProgramOrigin[];
      /** Not refused but ended before their first instruction: costs the other programs nothing, and scripts are not seen. */
      killOnly?: boolean;
    }
  /** The first rule that has the peer decides; `connect` allows the others, `quarantine` none of them, in both directions. */
  | { kind: "connect" | "quarantine"; peers: readonly PeerRule[] };

export type ProgramOrigin = "writable-layer" | "memory" | "mount";

export type Policy = PolicyRules & {
  /** Path in the version 2 hierarchy; its children are included. */
  cgroup: string;
  /** A process of the container: its mounts are the ones that are meant. */
  pid: number;
  /** The sensor itself ends it then; at most a day. */
  limitMs: number;
  /** False: nothing is prevented, only counted what would be. */
  enforce: boolean;
  /** Whether it lasts until its limit when the sensor ends, or ends with it. */
  outlives: boolean;
};

/** By what means a policy is enforced. */
export type EnforcementWay = "refuse-exec" | "end-exec" | "refuse-connect" | "drop-packets";

const MAGIC = 0x4b574c42;
const VERSION = 4;
const HEADER = 32;
const [SET, UNSET] = [1, 2];
const mostRules = 32;
const mostPaths = 64;
const ruleBytes = 40;
const kinds = { exec: 0, connect: 1, quarantine: 2 } as const;
const originFlags: Record<ProgramOrigin, number> = { "writable-layer": 2, memory: 4, mount: 8 };

/** A command for the sensor's standard input; `c/command.h` defines it. Throws `SensorError` `policy` at what it cannot say. */
export function encodeSet(id: bigint, policy: Policy): Buffer {
  const paths = policy.kind === "exec" ? policy.paths : [];
  const peers = policy.kind === "exec" ? [] : policy.peers;
  if (paths.length > mostPaths) throw wrong(`${paths.length} paths are more than ${mostPaths}`);
  if (peers.length > mostRules) throw wrong(`${peers.length} peers are more than ${mostRules}`);
  const texts = [policy.cgroup, ...paths];
  const nul = texts.find((text) => text.includes("\0"));
  if (nul !== undefined) throw wrong(`${JSON.stringify(nul)} has a NUL in it`);
  const fixed = Buffer.alloc(HEADER + 32 + mostRules * ruleBytes);
  fixed.writeBigUInt64LE(id, 32);
  fixed.writeBigUInt64LE(BigInt(Math.max(0, Math.round(policy.limitMs))) * 1_000_000n, 40);
  fixed.writeUInt32LE(kinds[policy.kind], 48);
  fixed.writeUInt32LE(flagsOf(policy), 52);
  fixed.writeUInt32LE(policy.pid, 56);
  fixed.writeUInt16LE(peers.length, 60);
  fixed.writeUInt16LE(paths.length, 62);
  peers.forEach((rule, index) => encodeRule(rule).copy(fixed, 64 + index * ruleBytes));
  return command(SET, Buffer.concat([fixed, ...texts.map((text) => Buffer.from(`${text}\0`))]));
}

export function encodeUnset(id: bigint): Buffer {
  const bytes = Buffer.alloc(HEADER + 8);
  bytes.writeBigUInt64LE(id, 32);
  return command(UNSET, bytes);
}

function command(type: number, bytes: Buffer): Buffer {
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(VERSION, 4);
  bytes.writeUInt16LE(type, 6);
  bytes.writeUInt32LE(bytes.length, 8);
  if (bytes.length > 16_384) throw wrong("its paths are longer than 14 kB together");
  return bytes;
}

function flagsOf(policy: Policy): number {
  let flags = (policy.enforce ? 1 : 0) | (policy.outlives ? 32 : 0);
  if (policy.kind !== "exec") return flags;
  for (const origin of policy.origins) flags |= originFlags[origin];
  return flags | (policy.killOnly === true ? 16 : 0);
}

function encodeRule({ peer, ports = [0, 65_535], allows }: PeerRule): Buffer {
  const { address, bits, isV4 } = parsePeer(peer);
  const bytes = Buffer.alloc(ruleBytes);
  for (let i = 0; i < 16; i++) {
    const mask = 0xff & ~(0xff >> Math.min(8, Math.max(0, bits - i * 8)));
    bytes[i] = (address[i] ?? 0) & mask;
    bytes[16 + i] = mask;
  }
  const [first, last] = ports;
  if (!(first >= 0 && first <= last && last <= 65_535)) throw wrong(`${first} to ${last} are no ports`);
  bytes.writeUInt16LE(first, 32);
  bytes.writeUInt16LE(last, 34);
  bytes[36] = isV4 ? 1 : 0;
  bytes[37] = allows ? 1 : 0;
  return bytes;
}

/** An address or a network as 16 bytes, IPv4 as `::ffff:a.b.c.d`, with the length of its prefix of 128 bits. */
export function parsePeer(text: string): { address: Uint8Array; bits: number; isV4: boolean } {
  const [ip = "", prefix, more] = text.split("/");
  const family = isIP(ip);
  const most = family === 4 ? 32 : 128;
  const length = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN;
  if (family === 0 || ip.includes("%") || more !== undefined || !(length <= most)) {
    throw wrong(`${JSON.stringify(text)} is neither an address nor a network`);
  }
  if (family === 4) {
    return { address: mapped(ip), bits: 96 + length, isV4: true };
  }
  const address = bytesOfV6(ip);
  const isMapped =
    length >= 96 && address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 255 && address[11] === 255;
  return { address, bits: length, isV4: isMapped };
}

function mapped(ip: string): Uint8Array {
  return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...ip.split(".").map(Number)]);
}

/** RFC 4291 section 2.2; the text is a valid address. */
function bytesOfV6(text: string): Uint8Array {
  const tail = text.slice(text.lastIndexOf(":") + 1);
  const plain = isIPv4(tail) ? text.slice(0, -tail.length) + hexOfV4(tail) : text;
  const [head = "", rest] = plain.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = rest === undefined ? [] : groups(rest);
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]));
}

function hexOfV4(text: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function wrong(message: string): SensorError {
  return new SensorError("policy", message, {
    remedy: "Name less, or write it as the documentation of responses says.",
  });
}
