/** Addresses and networks (kubernetes.net), as Go's `netip` reads and writes them. */
import { define, type Cost, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import { traversal } from "../libraries/standard.ts";
import { parseType, type Type } from "../types.ts";
import { CelValue, sizeOf } from "../values.ts";

const ipType = parseType("net.IP");
const cidrType = parseType("net.CIDR");

class Ip extends CelValue {
  readonly family: 4 | 6;
  readonly value: bigint;
  constructor(family: 4 | 6, value: bigint) {
    super();
    this.family = family;
    this.value = value;
  }
  get type(): Type {
    return ipType;
  }
  override get size(): number {
    return this.family === 4 ? 4 : 16;
  }
  equals(other: CelValue): boolean {
    return other instanceof Ip && other.family === this.family && other.value === this.value;
  }
}

class Cidr extends CelValue {
  readonly ip: Ip;
  readonly bits: number;
  constructor(ip: Ip, bits: number) {
    super();
    this.ip = ip;
    this.bits = bits;
  }
  get type(): Type {
    return cidrType;
  }
  override get size(): number {
    return Math.ceil(this.bits / 8);
  }
  equals(other: CelValue): boolean {
    return other instanceof Cidr && other.bits === this.bits && other.ip.equals(this.ip);
  }
}

/** Undefined for what is none, has a zone, or is an IPv4 address in IPv6 form. */
function parseIp(text: string): Ip | undefined {
  const four = parseIpv4(text);
  if (four !== undefined) return new Ip(4, four);
  const six = parseIpv6(text);
  return six === undefined || six >> 32n === 0xffffn ? undefined : new Ip(6, six);
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2 || text.length > 45) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (!head || (halves.length === 2 && !tail)) return undefined;
  // An IPv4 address may only end the whole.
  if (halves.length === 2 && (halves[0] ?? "").includes(".")) return undefined;
  const rest = tail ?? [];
  const missing = 8 - head.length - rest.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...Array<bigint>(missing).fill(0n), ...rest].reduce((value, group) => (value << 16n) | group, 0n);
}

function groupsOf(text: string): bigint[] | undefined {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const four = index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (four !== undefined) groups.push(four >> 16n, four & 0xffffn);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

/** The one form of an address (RFC 5952). */
function formatIp({ family, value }: Ip): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - index * 16)) & 0xffffn);
  const [start, length] = longestZeros(groups);
  const text = (part: bigint[]): string => part.map((group) => group.toString(16)).join(":");
  return length < 2 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

function longestZeros(groups: readonly bigint[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0n) end++;
    if (end - start > best[1]) best = [start, end - start];
    if (end > start) start = end;
  }
  return best;
}

function ip(text: string): Ip {
  const value = parseIp(text);
  if (!value) throw failure(`${JSON.stringify(text.slice(0, 60))} is no IP address`);
  return value;
}

function parseCidr(text: string): Cidr | undefined {
  const at = text.lastIndexOf("/");
  const address = at < 0 ? undefined : parseIp(text.slice(0, at));
  const bits = text.slice(at + 1);
  if (!address || !/^(?:0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > width(address)) return undefined;
  return new Cidr(address, Number(bits));
}

function width({ family }: Ip): number {
  return family === 4 ? 32 : 128;
}

function cidr(text: string): Cidr {
  const value = parseCidr(text);
  if (!value) throw failure(`${JSON.stringify(text.slice(0, 60))} is no network in CIDR notation`);
  return value;
}

function formatCidr(value: Cidr): string {
  return `${formatIp(value.ip)}/${value.bits}`;
}

function prefix(address: Ip, bits: number): bigint {
  return address.value >> BigInt(width(address) - bits);
}

function containsIp(network: Cidr, address: Ip): boolean {
  return network.ip.family === address.family && prefix(network.ip, network.bits) === prefix(address, network.bits);
}

function containsCidr(network: Cidr, part: Cidr): boolean {
  return network.bits <= part.bits && containsIp(network, part.ip);
}

function masked({ ip: address, bits }: Cidr): Cidr {
  return new Cidr(new Ip(address.family, prefix(address, bits) << BigInt(width(address) - bits)), bits);
}

/** Whether an address is in a network, written out. */
function isIn(address: Ip, ...networks: string[]): boolean {
  return networks.some((network) => containsIp(cidr(network), address));
}

function isUnspecified({ value }: Ip): boolean {
  return value === 0n;
}

function isGlobalUnicast(address: Ip): boolean {
  const special = isIn(address, "127.0.0.0/8", "::1/128", "224.0.0.0/4", "ff00::/8", "169.254.0.0/16", "fe80::/10");
  return !special && !isUnspecified(address) && !(address.family === 4 && address.value === 0xffffffffn);
}

const twice: Cost = (_, text) => Math.ceil(sizeOf(text) * 0.2);
/** The network's bytes, twice; of a network in it once more. */
const containsCost: Cost = (_, network) => Math.ceil(sizeOf(network) * 0.2);
const containsTextCost: Cost = (_, network, text) => Math.ceil(sizeOf(network) * 0.2) + Math.ceil(sizeOf(text) * 0.1);
const withinCost: Cost = (_, network) => Math.ceil(sizeOf(network) * 0.2) + Math.ceil(sizeOf(network) * 0.1) + 1;
const withinTextCost: Cost = (result, network, text) => withinCost(result, network) + Math.ceil(sizeOf(text) * 0.1);

export const kubernetesNet: readonly Overload[] = [
  define("ip(string): net.IP", ip, traversal),
  define("isIP(string): bool", (text: string) => parseIp(text) !== undefined, traversal),
  define("ip.isCanonical(string): bool", (text: string) => formatIp(ip(text)) === text, twice),
  define("string(net.IP): string", formatIp),
  define("(net.IP).family(): int", (address: Ip) => address.family),
  define("(net.IP).isUnspecified(): bool", isUnspecified),
  define("(net.IP).isLoopback(): bool", (address: Ip) => isIn(address, "127.0.0.0/8", "::1/128")),
  define("(net.IP).isLinkLocalMulticast(): bool", isLinkLocalMulticast),
  define("(net.IP).isLinkLocalUnicast(): bool", (address: Ip) => isIn(address, "169.254.0.0/16", "fe80::/10")),
  define("(net.IP).isGlobalUnicast(): bool", isGlobalUnicast),
  define("cidr(string): net.CIDR", cidr, traversal),
  define("isCIDR(string): bool", (text: string) => parseCidr(text) !== undefined, traversal),
  define("string(net.CIDR): string", formatCidr),
  define(
    "(net.CIDR).containsIP(string): bool",
    (network: Cidr, text: string) => containsIp(network, ip(text)),
    containsTextCost,
  ),
  define("(net.CIDR).containsIP(net.IP): bool", containsIp, containsCost),
  define(
    "(net.CIDR).containsCIDR(string): bool",
    (network: Cidr, text: string) => containsCidr(network, cidr(text)),
    withinTextCost,
  ),
  define("(net.CIDR).containsCIDR(net.CIDR): bool", containsCidr, withinCost),
  define("(net.CIDR).ip(): net.IP", (network: Cidr) => network.ip),
  define("(net.CIDR).prefixLength(): int", (network: Cidr) => network.bits),
  define("(net.CIDR).masked(): net.CIDR", masked),
];

/** 224.0.0.0/24, and of IPv6 what Go takes: any flags, scope 2. */
function isLinkLocalMulticast(address: Ip): boolean {
  if (address.family === 4) return isIn(address, "224.0.0.0/24");
  return address.value >> 120n === 0xffn && ((address.value >> 112n) & 0xfn) === 2n;
}
