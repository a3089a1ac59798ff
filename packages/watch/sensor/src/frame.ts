import { formatAddress } from "./address.ts";

/** What is wrong with a frame; the decoder adds where. */
export class Flaw extends Error {}

const AF_INET = 2;
const AF_INET6 = 10;

export function isInternet(family: number): boolean {
  return family === AF_INET || family === AF_INET6;
}

interface End {
  ip: string;
  port: number;
}

/**
 * Both ends of `struct frame_socket` at `at`; null for another family. An end of zeros is one that is not there: a
 * socket that is connected to nobody.
 */
export function ends(bytes: Buffer, at: number): { family: number; local: End | null; remote: End | null } {
  const family = bytes.readUInt16LE(at);
  if (!isInternet(family)) return { family, local: null, remote: null };
  const remote = address(bytes, family, at + 24, at + 6);
  const isNobody = remote.port === 0 && (remote.ip === "0.0.0.0" || remote.ip === "::");
  return { family, local: address(bytes, family, at + 8, at + 4), remote: isNobody ? null : remote };
}

export function address(bytes: Buffer, family: number, at: number, portAt: number): End {
  return {
    ip: formatAddress(bytes.subarray(at, at + (family === AF_INET ? 4 : 16))),
    port: bytes.readUInt16LE(portAt),
  };
}

/** Texts without gaps from `start` on, each as long as the lengths at `at` say. They must fill the frame. */
export function texts(bytes: Buffer, start: number, at: number, count: number): string[] {
  const found: string[] = [];
  let from = start;
  for (let i = 0; i < count; i++) {
    const to = from + bytes.readUInt16LE(at + 2 * i);
    found.push(bytes.toString("utf8", from, to));
    from = to;
  }
  filled(bytes, from);
  return found;
}

/** The frame ends where its texts end. */
export function filled(bytes: Buffer, end: number): void {
  if (end !== bytes.length) throw new Flaw(`is ${bytes.length} bytes long, but its texts end at ${end}`);
}

/** The element of a closed list that a number in a frame stands for. */
export function one<T>(what: string, of: readonly T[], index: number): T {
  const found = of[index];
  if (found === undefined) throw new Flaw(`has the ${what} ${index}`);
  return found;
}
