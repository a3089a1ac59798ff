import { isIP } from "node:net";

/** An IP address as a number within its family. An IPv4 address written inside IPv6 (`::ffff:…`) is IPv4. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** Inclusive. */
export interface AddressRange {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/** In one of `ranges` and in none of `except`. */
export interface AddressBlock {
  readonly range: AddressRange;
  readonly except: readonly AddressRange[];
}

export function parseAddress(text: string): Address | undefined {
  // A zone (`fe80::1%eth0`) belongs to one machine; no policy can name it.
  if (text.includes("%")) return undefined;
  const family = isIP(text);
  if (family === 4) return { family: 4, value: BigInt(number4(text)) };
  if (family !== 6) return undefined;
  const value = number6(text);
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffff_ffffn } : { family: 6, value };
}

/** `10.0.0.0/8` or `fd00::/8`; bits beyond the prefix are dropped, as Go's `ParseCIDR` does. */
export function parseCidr(text: string): AddressRange | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const written = match?.[1] ?? "";
  const address = parseAddress(written);
  if (!match || !address) return undefined;
  const width = address.family === 4 ? 32 : 128;
  const prefix = Number(match[2]) - (address.family === 4 && written.includes(":") ? 96 : 0);
  if (prefix < 0 || prefix > width) return undefined;
  const size = 1n << BigInt(width - prefix);
  const first = address.value - (address.value % size);
  return { family: address.family, first, last: first + size - 1n };
}

export function single({ family, value }: Address): AddressRange {
  return { family, first: value, last: value };
}

/** Whether `inner` is inside `outer` and smaller. */
export function strictlyInside(inner: AddressRange, outer: AddressRange): boolean {
  if (inner.family !== outer.family || inner.first < outer.first || inner.last > outer.last) return false;
  return inner.first !== outer.first || inner.last !== outer.last;
}

export const allAddresses: readonly AddressRange[] = [
  { family: 4, first: 0n, last: (1n << 32n) - 1n },
  { family: 6, first: 0n, last: (1n << 128n) - 1n },
];

/** A range as the fewest CIDRs that cover exactly it. */
export function toCidrs({ family, first, last }: AddressRange): string[] {
  const width = family === 4 ? 32 : 128;
  const list: string[] = [];
  for (let at = first; at <= last;) {
    let bits = 0;
    while (bits < width && at % (1n << BigInt(bits + 1)) === 0n && at + (1n << BigInt(bits + 1)) - 1n <= last) bits++;
    list.push(`${formatAddress({ family, value: at })}/${width - bits}`);
    at += 1n << BigInt(bits);
  }
  return list;
}

export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  const words = groups.map((group) => group.toString(16));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0n) length++;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return words.join(":");
  return `${words.slice(0, best.start).join(":")}::${words.slice(best.start + best.length).join(":")}`;
}

function number4(text: string): number {
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function number6(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = number4(dotted?.[2] ?? "0");
  const plain = dotted ? `${dotted[1]}${(tail >>> 16).toString(16)}:${(tail & 0xffff).toString(16)}` : text;
  const [left = "", right] = plain.split("::");
  const head = left === "" ? [] : left.split(":");
  const rest = right === undefined || right === "" ? [] : right.split(":");
  const words = [...head, ...Array.from({ length: 8 - head.length - rest.length }, () => "0"), ...rest];
  return words.reduce((sum, word) => (sum << 16n) | BigInt(Number.parseInt(word, 16)), 0n);
}

/** Ranges as CIDRs; all of a family, and all but a few, in words that stay short. */
export function addressText(ranges: readonly AddressRange[]): string[] {
  return ranges.flatMap((range) => {
    const cidrs = toCidrs(range);
    return cidrs.length <= 2
      ? cidrs
      : [
          `${formatAddress({ family: range.family, value: range.first })}-${formatAddress({ family: range.family, value: range.last })}`,
        ];
  });
}
