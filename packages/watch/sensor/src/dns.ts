import { formatAddress } from "./address.ts";

/** What an answer of a name server says. */
export interface DnsAnswer {
  name: string;
  kind: number;
  code: number;
  answers: string[];
}

const HEADER = 12;
const A = 1;
const CNAME = 5;
const AAAA = 28;
const INTERNET = 1;
const answersKept = 32;
/** RFC 1035 section 2.3.4: a name has at most 255 bytes, so at most 127 labels. A pointer counts as one. */
const labelsKept = 128;

/**
 * The question and the answers of a DNS response (RFC 1035 section 4.1), which may be cut at any byte: what is whole
 * is told. Undefined when it is no response to one question.
 */
export function readAnswer(message: Buffer): DnsAnswer | undefined {
  if (message.length < HEADER) return undefined;
  const flags = message.readUInt16BE(2);
  const isAnswer = (flags & 0x8000) !== 0 && (flags & 0x7800) === 0;
  if (!isAnswer || message.readUInt16BE(4) !== 1) return undefined;
  const question = readName(message, HEADER);
  if (question === undefined || question.end + 4 > message.length) return undefined;
  const answers: string[] = [];
  let at = question.end + 4;
  for (let i = Math.min(message.readUInt16BE(6), answersKept); i > 0; i--) {
    const owner = readName(message, at);
    if (owner === undefined || owner.end + 10 > message.length) break;
    const kind = message.readUInt16BE(owner.end);
    const isInternet = message.readUInt16BE(owner.end + 2) === INTERNET;
    const data = owner.end + 10;
    const end = data + message.readUInt16BE(owner.end + 8);
    if (end > message.length) break;
    const text = isInternet ? valueOf(message, kind, data, end) : undefined;
    if (text !== undefined) answers.push(text);
    at = end;
  }
  return { name: question.name, kind: message.readUInt16BE(question.end), code: flags & 0xf, answers };
}

function valueOf(message: Buffer, kind: number, from: number, to: number): string | undefined {
  const size = to - from;
  if ((kind === A && size === 4) || (kind === AAAA && size === 16)) return formatAddress(message.subarray(from, to));
  return kind === CNAME ? readName(message, from)?.name : undefined;
}

/** Bytes other than those of host names are written as RFC 4343 section 2.1 does: `\007`. */
function readName(message: Buffer, start: number): { name: string; end: number } | undefined {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  for (let turns = 0; turns < labelsKept; turns++) {
    const size = message[at];
    if (size === undefined) return undefined;
    if (size === 0) return { name: labels.join(".").toLowerCase(), end: end ?? at + 1 };
    if ((size & 0xc0) === 0xc0) {
      const low = message[at + 1];
      if (low === undefined) return undefined;
      end ??= at + 2;
      at = ((size & 0x3f) << 8) | low;
      continue;
    }
    if ((size & 0xc0) !== 0 || at + 1 + size > message.length) return undefined;
    const label = message.subarray(at + 1, at + 1 + size);
    labels.push(Array.from(label, escaped).join(""));
    at += 1 + size;
  }
  return undefined;
}

function escaped(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9_-]/.test(character) ? character : `\\${String(byte).padStart(3, "0")}`;
}
