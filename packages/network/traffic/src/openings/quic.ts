import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import type { Protocol } from "./opening.ts";
import { readServerName } from "./tls.ts";

/** What differs between the versions: RFC 9001 section 5.2; RFC 9369 section 3. */
const versions: Readonly<Record<number, { type: number; salt: string; label: string }>> = {
  0x00000001: { type: 0, salt: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", label: "quic " },
  0x6b3343cf: { type: 1, salt: "0dede3def700a6db819381be6e269dcbf9bd2ed9", label: "quicv2 " },
};
const tagBytes = 16;
const PADDING = 0;
const PING = 1;
const ACK = 2;
const ACK_WITH_COUNTS = 3;
const CRYPTO = 6;

/**
 * RFC 9000, RFC 9001: the client's first packet, whose key everybody on the way can make, holds its hello. One that goes on in
 * a second packet tells what is whole of it.
 */
export const quic: Protocol = {
  read(bytes, fromClient) {
    if (!fromClient || bytes.length < 7 || ((bytes[0] ?? 0) & 0xc0) !== 0xc0) return undefined;
    if (!versions[bytes.readUInt32BE(1)]) return undefined;
    const frames = decrypt(bytes);
    return { tls: { version: "1.3", serverName: frames ? readServerName(helloIn(frames)) : null } };
  },
};

/** Frames of the first packet of a datagram; undefined where it is no whole Initial packet. */
function decrypt(bytes: Buffer): Buffer | undefined {
  const version = versions[bytes.readUInt32BE(1)];
  const reader = readerOf(bytes, 5);
  const connection = reader.take(reader.byte());
  reader.take(reader.byte());
  reader.take(reader.number());
  const length = reader.number();
  const numberAt = reader.at;
  const sample = bytes.subarray(numberAt + 4, numberAt + 20);
  const end = numberAt + length;
  if (!version || end > bytes.length || length < 4 + tagBytes || (((bytes[0] ?? 0) >> 4) & 3) !== version.type)
    return undefined;
  const initial = createHmac("sha256", Buffer.from(version.salt, "hex")).update(connection).digest();
  const secret = expand(initial, "client in", 32);
  const keys = { key: 16, iv: 12, hp: 16 };
  const [key, nonce, mask] = Object.entries(keys).map(([name, size]) => expand(secret, version.label + name, size));
  if (!key || !nonce || !mask) return undefined;

  // RFC 9001 section 5.4: what hides the first byte and the packet's number.
  const hidden = createCipheriv("aes-128-ecb", mask, null).update(sample);
  const header = Buffer.from(bytes.subarray(0, numberAt + 4));
  header[0] = (header[0] ?? 0) ^ ((hidden[0] ?? 0) & 0x0f);
  const numberBytes = (header[0] & 3) + 1;
  for (let i = 0; i < numberBytes; i++) {
    const at = numberAt + i;
    header[at] = (header[at] ?? 0) ^ (hidden[1 + i] ?? 0);
    const place = nonce.length - numberBytes + i;
    nonce[place] = (nonce[place] ?? 0) ^ (header[at] ?? 0);
  }
  const opened = createDecipheriv("aes-128-gcm", key, nonce);
  opened.setAAD(header.subarray(0, numberAt + numberBytes));
  opened.setAuthTag(bytes.subarray(end - tagBytes, end));
  try {
    return Buffer.concat([opened.update(bytes.subarray(numberAt + numberBytes, end - tagBytes)), opened.final()]);
  } catch {
    // Somebody else's bytes, or changed on the way.
    return undefined;
  }
}

/** RFC 8446 section 7.1, for as much as one block of the hash. */
function expand(secret: Buffer, label: string, size: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.from([0, size, name.length, ...name, 0, 1]);
  return createHmac("sha256", secret).update(info).digest().subarray(0, size);
}

/** The beginning of the message that CRYPTO frames hold the parts of, in any order; RFC 9000 section 19. */
function helloIn(frames: Buffer): Buffer {
  const reader = readerOf(frames, 0);
  const parts: { from: number; bytes: Buffer }[] = [];
  while (reader.at < frames.length) {
    const type = reader.byte();
    if (type === PADDING || type === PING) continue;
    if (type === CRYPTO) {
      const from = reader.number();
      parts.push({ from, bytes: reader.take(reader.number()) });
    } else if (type === ACK || type === ACK_WITH_COUNTS) {
      skipAcknowledgement(reader, type);
    } else break;
  }
  let whole = Buffer.alloc(0);
  for (const { from, bytes } of parts.toSorted((a, b) => a.from - b.from)) {
    if (from > whole.length) break;
    whole = Buffer.concat([whole.subarray(0, from), bytes]);
  }
  return whole;
}

/** Its largest number, its delay, and how many pairs follow the first of its ranges; RFC 9000 section 19.3. */
function skipAcknowledgement(reader: Reader, type: number): void {
  reader.number();
  reader.number();
  const pairs = reader.number();
  const rest = 1 + 2 * pairs + (type === ACK_WITH_COUNTS ? 3 : 0);
  for (let i = 0; i < rest && !reader.isOver(); i++) reader.number();
}

interface Reader {
  readonly at: number;
  isOver(): boolean;
  byte(): number;
  /** RFC 9000 section 16. */
  number(): number;
  take(size: number): Buffer;
}

/** Beyond the end there are zeros, and nothing to take. */
function readerOf(bytes: Buffer, start: number): Reader {
  let at = start;
  const byte = (): number => bytes[at++] ?? 0;
  return {
    get at() {
      return at;
    },
    isOver: () => at >= bytes.length,
    byte,
    number() {
      const first = byte();
      let value = first & 0x3f;
      for (let left = (1 << (first >> 6)) - 1; left > 0; left--) value = value * 256 + byte();
      return value;
    },
    take(size) {
      const taken = bytes.subarray(at, at + size);
      at = Math.min(at + size, bytes.length);
      return taken;
    },
  };
}
