/** URLs as Go's `url.ParseRequestURI` takes them (kubernetes.urls). */
import { define, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import { traversal } from "../libraries/standard.ts";
import { parseType, type Type } from "../types.ts";
import { CelMap, CelValue } from "../values.ts";

const type = parseType("kubernetes.URL");

export class Url extends CelValue {
  readonly scheme: string;
  /** With its port, percent signs decoded. */
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly rest: string;
  constructor(parts: { scheme: string; host: string; path: string; query: string; rest: string }) {
    super();
    this.scheme = parts.scheme;
    this.host = parts.host;
    this.path = parts.path;
    this.query = parts.query;
    this.rest = parts.rest;
  }
  get type(): Type {
    return type;
  }
  equals(other: CelValue): boolean {
    const same = (key: "scheme" | "host" | "path" | "query" | "rest"): boolean => (other as Url)[key] === this[key];
    return other instanceof Url && (["scheme", "host", "path", "query", "rest"] as const).every(same);
  }
}

/** An absolute URL or an absolute path; undefined for all else. */
export function parseUrl(text: string): Url | undefined {
  if (text === "" || hasControl(text)) return undefined;
  const [, scheme = "", afterScheme = ""] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$/s.exec(text) ?? [];
  if (text.startsWith(":")) return undefined;
  // What follows `#` is not looked for by ParseRequestURI, but has to decode.
  if (!validEscapes(afterScheme.replace(/\?[^#]*/s, ""))) return undefined;
  if (text === "*") return new Url({ scheme: "", host: "", path: "*", query: "", rest: "" });
  if (!afterScheme.startsWith("/")) {
    // `mailto:a@b` has no path; without a scheme it is nothing absolute.
    if (scheme === "") return undefined;
    return new Url({ scheme: scheme.toLowerCase(), host: "", path: "", ...queryOf(afterScheme), rest: afterScheme });
  }
  const { before, query } = splitQuery(afterScheme);
  let path = before;
  let host = "";
  let user = "";
  if (before.startsWith("//") && !(scheme === "" && before.startsWith("///"))) {
    const end = before.indexOf("/", 2);
    const authority = before.slice(2, end < 0 ? undefined : end);
    path = end < 0 ? "" : before.slice(end);
    const at = authority.lastIndexOf("@");
    user = authority.slice(0, Math.max(0, at));
    const found = parseHost(authority.slice(at + 1));
    if (found === undefined || !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) || !validEscapes(user)) return undefined;
    host = found;
  }
  if (!validEscapes(path)) return undefined;
  return new Url({ scheme: scheme.toLowerCase(), host, path, query, rest: user });
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\x7f");
}

function splitQuery(text: string): { before: string; query: string } {
  const plain = text.replace(/#.*$/s, "");
  const at = plain.indexOf("?");
  return at < 0 ? { before: plain, query: "" } : { before: plain.slice(0, at), query: plain.slice(at + 1) };
}

function queryOf(text: string): { query: string } {
  return { query: splitQuery(text).query };
}

function validEscapes(text: string): boolean {
  return !/%(?![0-9a-fA-F]{2})/.test(text);
}

function parseHost(text: string): string | undefined {
  const bracket = /^\[([^\]]*)\](.*)$/s.exec(text);
  if (text.startsWith("[") && !bracket) return undefined;
  const port = bracket ? (bracket[2] ?? "") : (/:.*$/s.exec(text)?.[0] ?? "");
  if (port !== "" && !/^:\d*$/.test(port)) return undefined;
  const name = bracket ? (bracket[1] ?? "") : text;
  // Characters that a host may not have; bytes above ASCII pass, as they do in Go.
  if (!bracket && /[\s"#/<>?[\]\\^`{|}]/.test(name.replaceAll(/%[0-9a-fA-F]{2}/g, ""))) {
    if (!/^[^\s#/?\\^`{|}]*$/.test(name)) return undefined;
  }
  if (!validEscapes(name)) return undefined;
  if (/%(?!25)[0-7]/i.test(name) && !bracket) return undefined;
  return bracket ? `[${decode(name)}]${port}` : decode(name);
}

function decode(text: string): string {
  const bytes = text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (bytes === text) return text;
  const raw = [...text.matchAll(/%([0-9a-fA-F]{2})|([\s\S])/gu)].map(([, hex, character]) =>
    hex === undefined ? Buffer.from(character ?? "", "utf8") : Buffer.of(Number.parseInt(hex, 16)),
  );
  return Buffer.concat(raw).toString("utf8");
}

/** As Go writes a path: what it may hold stays, the rest is escaped. */
function escapedPath({ path }: Url): string {
  return path.replaceAll(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]+/gu, (part) =>
    [...Buffer.from(part, "utf8")].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}

function hostname({ host }: Url): string {
  const bracket = /^\[([^\]]*)\]/.exec(host);
  return bracket ? (bracket[1] ?? "") : host.replace(/:\d*$/, "");
}

function port({ host }: Url): string {
  return /:(\d*)$/.exec(host.replace(/^\[[^\]]*\]/, ""))?.[1] ?? "";
}

/** Pairs that do not decode, or hold a semicolon, are left out. */
function query(url: Url): CelMap {
  const values = new Map<string, string[]>();
  for (const pair of url.query.split("&")) {
    if (pair === "" || pair.includes(";") || !validEscapes(pair)) continue;
    const [, key = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(pair.replaceAll("+", " ")) ?? [];
    const name = decode(key);
    values.set(name, [...(values.get(name) ?? []), decode(value)]);
  }
  return CelMap.from(values);
}

function url(text: string): Url {
  const value = parseUrl(text);
  if (!value) throw failure(`${JSON.stringify(text.slice(0, 60))} is no absolute URL or path`);
  return value;
}

export const kubernetesUrl: readonly Overload[] = [
  define("url(string): kubernetes.URL", url, traversal),
  define("isURL(string): bool", (text: string) => parseUrl(text) !== undefined),
  define("(kubernetes.URL).getScheme(): string", (value: Url) => value.scheme),
  define("(kubernetes.URL).getHost(): string", (value: Url) => value.host),
  define("(kubernetes.URL).getHostname(): string", hostname),
  define("(kubernetes.URL).getPort(): string", port),
  define("(kubernetes.URL).getEscapedPath(): string", escapedPath),
  define("(kubernetes.URL).getQuery(): map<string, list<string>>", query),
];
