import { BlockList, isIP } from "node:net";

/** Addresses, blocks of addresses and names that are known to be bad. */
export interface BadList {
  /** The entry that an address or a name, or a name above it, is on. */
  match(ip: string | null, name: string | null): string | undefined;
  readonly size: number;
  /** Lines that are neither. */
  readonly broken: readonly number[];
}

const mostEntries = 1_000_000;

/** One entry a line; what follows `#` or `;` is a comment, as in the lists that are published. */
export function parseBadList(text: string): BadList {
  const exact = new Set<string>();
  const blocks = new BlockList();
  let blockCount = 0;
  const broken: number[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const entry = raw
      .replace(/[#;].*/, "")
      .trim()
      .toLowerCase();
    if (entry === "") continue;
    const [, network = "", prefix = ""] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(network);
    if (family > 0 && Number(prefix) <= (family === 4 ? 32 : 128)) {
      blocks.addSubnet(network, Number(prefix), family === 4 ? "ipv4" : "ipv6");
      blockCount++;
    } else if (isIP(entry) > 0 || /^(\*\.)?([a-z0-9_-]+\.)+[a-z0-9-]+\.?$/.test(entry)) {
      if (exact.size < mostEntries) exact.add(entry.replace(/^\*\./, "").replace(/\.$/, ""));
      else broken.push(index + 1);
    } else broken.push(index + 1);
  }
  return {
    match(ip, name) {
      if (ip !== null && exact.has(ip)) return ip;
      if (ip !== null && blockCount > 0 && blocks.check(ip, isIP(ip) === 6 ? "ipv6" : "ipv4")) return ip;
      for (let rest = name; rest !== null && rest.includes("."); rest = rest.slice(rest.indexOf(".") + 1)) {
        if (exact.has(rest)) return rest;
      }
      return undefined;
    },
    size: exact.size + blockCount,
    broken,
  };
}
