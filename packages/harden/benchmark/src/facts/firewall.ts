import { dirname } from "node:path";
import type { Collector, Host } from "../collector.ts";
import { RootError } from "../root.ts";
import { matches, plainLines } from "./files.ts";

interface Chain {
  /** `inet filter`. */
  table: string;
  name: string;
  /** `input`, `forward`, `output`; empty where no packet comes by itself. */
  hook: string;
  policy: string;
  /** With single spaces and without quotes. */
  rules: string[];
}

interface Tables {
  /** By chain: `DROP`. */
  policies: Record<string, string>;
  rules: string[];
}

const fileLimit = 256;
const sizeLimit = 4 * 1024 * 1024;

/**
 * The host's own firewall by the files that its service loads: `nftables.chains` of /etc/nftables.conf, `iptables.v4` and
 * `v6` of iptables-persistent. What somebody changed by hand since is not in them, and is gone after the next start.
 */
export const firewall: Collector = {
  variables: ["nftables", "iptables"],
  collect(host) {
    const chains = host.attempt("nftables", () => chainsOf(nftText(host, "/etc/nftables.conf")));
    const tables = (family: string): Tables | undefined =>
      host.attempt(`iptables[${family}]`, () => tablesOf(host.root.text(`/etc/iptables/rules.${family}`) ?? ""));
    return { nftables: { chains: chains ?? [] }, iptables: { v4: tables("v4") ?? {}, v6: tables("v6") ?? {} } };
  },
};

/** With what it includes in its place; nft(8), INCLUDE FILES. Raises `RootError` where that is too much. */
function nftText(host: Host, main: string): string {
  const seen = new Set<string>();
  let size = 0;
  const read = (path: string): string => {
    if (seen.has(path)) return "";
    seen.add(path);
    const text = host.root.text(path) ?? "";
    size += text.length;
    if (seen.size > fileLimit || size > sizeLimit) throw new RootError("unreadable", `${main}: it includes too much`);
    return text.replaceAll(/^[ \t]*include[ \t]+"([^"\n]+)".*$/gm, (_, name: string) => {
      const full = name.startsWith("/") ? name : `${dirname(path)}/${name}`;
      return (full.includes("*") ? matches(host, full) : [full]).map(read).join("\n");
    });
  };
  return read(main);
}

/** Of rules in blocks (`table inet filter { chain input { … } }`) and in lines (`add rule inet filter input …`). */
function chainsOf(text: string): Chain[] {
  const chains = new Map<string, Chain>();
  const chain = (table: string, name: string): Chain => {
    const key = `${table} ${name}`;
    const known = chains.get(key) ?? { table, name, hook: "", policy: "", rules: [] };
    chains.set(key, known);
    return known;
  };
  let table = "";
  let within: Chain | undefined;
  let depth = 0;
  for (const { words, opens, closes } of statements(text)) {
    const [verb, kind, family = "", of = "", name = "", ...rest] =
      words[0] === "add" || words[0] === "create" ? words : ["", ...words];
    if (depth === 0 && kind === "table" && opens) table = `${family} ${of}`.trim();
    else if (depth === 1 && kind === "chain" && opens) within = chain(table, family);
    else if (kind === "chain" && verb !== "" && opens) within = chain(`${family} ${of}`, name);
    else if (kind === "rule" && verb !== "") chain(`${family} ${of}`, name).rules.push(rest.join(" "));
    else if (within) addTo(within, words);
    if (opens) depth++;
    for (let closed = 0; closed < closes; closed++) {
      depth = Math.max(0, depth - 1);
      within = undefined;
    }
  }
  return [...chains.values()];
}

function addTo(chain: Chain, words: readonly string[]): void {
  if (words.length === 0) return;
  if (words[0] === "type") chain.hook = words[words.indexOf("hook") + 1] ?? "";
  else if (words[0] === "policy") chain.policy = words[1] ?? "";
  else chain.rules.push(words.join(" "));
}

interface Statement {
  words: string[];
  /** It ends with the brace that begins a block. */
  opens: boolean;
  /** Blocks that end after it. */
  closes: number;
}

/** Sets in braces (`{ 22, 80 }`) belong to the rule that has them. */
function statements(text: string): Statement[] {
  const found: Statement[] = [];
  let words: string[] = [];
  let sets = 0;
  const end = (opens = false, closes = 0): void => {
    if (words.length > 0 || closes > 0) found.push({ words, opens, closes });
    words = [];
  };
  const plain = text.replaceAll(/\\\n/g, " ").replaceAll(/#.*$/gm, "");
  for (const [token] of plain.matchAll(/"[^"\n]*"|[{};\n]|[^\s{};"]+/g)) {
    if (token === "{") {
      const begins = /^(?:(?:add|create) )?(?:table|chain|set|map|flowtable|counter|quota|limit|ct|secmark|synproxy)\b/;
      if (sets === 0 && begins.test(words.slice(0, 2).join(" "))) end(true);
      else sets++;
    } else if (token === "}") {
      if (sets > 0) sets--;
      else end(false, 1);
    } else if (token === ";" || token === "\n") {
      if (sets === 0) end();
    } else if (sets === 0) words.push(token.replaceAll('"', ""));
  }
  end();
  return found;
}

/** As iptables-save(8) writes its table `filter`. */
function tablesOf(text: string): Tables {
  const found: Tables = { policies: {}, rules: [] };
  let table = "";
  for (const line of plainLines(text)) {
    const [, name, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (line.startsWith("*")) table = line.slice(1);
    else if (table !== "filter") continue;
    else if (name !== undefined && policy !== undefined) found.policies[name] = policy;
    else if (line.startsWith("-A ")) found.rules.push(line.replaceAll(/\s+/g, " "));
  }
  return found;
}
