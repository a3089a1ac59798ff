import { hash } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";

export interface FlowTuple {
  readonly from: string;
  readonly to: string;
  /** Of the sender; for ICMP the type. Absent for protocols without ports. */
  readonly fromPort?: number;
  /** Of the receiver; for ICMP the code. */
  readonly toPort?: number;
  /** IANA number: 6 is TCP. */
  readonly protocol: number;
}

const icmp = 1;
const icmp6 = 58;

/**
 * The Community ID of a flow, version 1: the same in both directions, and the same in Zeek, Suricata and here.
 * Undefined where an address cannot be read. Source: corelight/community-id-spec, and pycommunityid for ICMP.
 */
export function communityId({ from, to, fromPort, toPort, protocol }: FlowTuple, seed = 0): string | undefined {
  const sender = addressBytes(from);
  const receiver = addressBytes(to);
  if (!sender || !receiver) return undefined;
  let [a, b] = [fromPort, toPort];
  let oneWay = false;
  if (protocol === icmp || protocol === icmp6) {
    const reply = (protocol === icmp ? replies4 : replies6).get(a ?? -1);
    oneWay = reply === undefined;
    b = reply ?? b;
  }
  const order = Buffer.compare(sender, receiver);
  const ordered = oneWay || order < 0 || (order === 0 && a !== undefined && b !== undefined && a < b);
  const [first, second] = ordered ? [sender, receiver] : [receiver, sender];
  if (!ordered) [a, b] = [b, a];
  const ports = a !== undefined && b !== undefined;
  const bytes = Buffer.alloc(2 + first.length + second.length + 2 + (ports ? 4 : 0));
  bytes.writeUInt16BE(seed, 0);
  bytes.set(first, 2);
  bytes.set(second, 2 + first.length);
  let at = 2 + first.length + second.length;
  bytes.writeUInt8(protocol, at);
  at += 2;
  if (ports) {
    bytes.writeUInt16BE(a ?? 0, at);
    bytes.writeUInt16BE(b ?? 0, at + 2);
  }
  return `1:${hash("sha1", bytes, "base64")}`;
}

/** Types that answer each other, as Zeek pairs them. */
const replies4 = pairs([
  [8, 0],
  [13, 14],
  [15, 16],
  [10, 9],
  [17, 18],
]);
const replies6 = pairs([
  [128, 129],
  [130, 131],
  [133, 134],
  [135, 136],
  [139, 140],
  [144, 145],
]);

function pairs(list: readonly [number, number][]): Map<number, number> {
  return new Map(list.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]));
}

/** The same addresses come again and again. */
const parsed = new Map<string, Buffer | undefined>();
const mostParsed = 16_384;

function addressBytes(text: string): Buffer | undefined {
  const known = parsed.get(text);
  if (known) return known;
  if (parsed.size >= mostParsed) parsed.clear();
  const bytes = parseBytes(text);
  parsed.set(text, bytes);
  return bytes;
}

function parseBytes(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split(".").map(Number));
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const hex = (high = "0", low = "0"): string => (Number(high) * 256 + Number(low)).toString(16);
  const plain = dotted ? `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}` : text;
  const [left = "", right] = plain.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const words = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => "0"), ...tail];
  return Buffer.from(
    words.flatMap((word) => {
      const value = Number.parseInt(word, 16);
      return [value >> 8, value & 255];
    }),
  );
}
