import { typeRules } from "./types.ts";

/** A package URL by https://github.com/package-url/purl-spec, its parts decoded. */
export interface PackageUrl {
  type: string;
  namespace: string | null;
  name: string;
  version: string | null;
  qualifiers: Record<string, string>;
  subpath: string | null;
}

/** No package URL, or one that its type does not allow. */
export class PurlError extends Error {}

const lengthLimit = 8192;

/**
 * Reads a package URL; what it answers is canonical. One that is not canonical itself is read too, but for keys of
 * qualifiers that begin in upper case where `strict` is asked for: the specification forbids them, and tools write them.
 * Raises `PurlError`.
 */
export function parsePurl(text: string, { strict = false }: { strict?: boolean } = {}): PackageUrl {
  if (text.length > lengthLimit) throw new PurlError(`a package URL of ${text.length} characters`);
  const scheme = /^pkg:\/*/i.exec(text.trim());
  if (!scheme) throw new PurlError(`no package URL (pkg:type/name@version): ${text.slice(0, 100)}`);
  let rest = text.trim().slice(scheme[0].length);
  let subpath: string | undefined;
  let query: string | undefined;
  [rest, subpath] = cut(rest, rest.lastIndexOf("#"));
  [rest, query] = cut(rest, rest.lastIndexOf("?"));
  const [type, path = ""] = cut(rest, rest.indexOf("/"));
  const trimmed = path.replaceAll(/^\/+|\/+$/g, "");
  // What stands before the last slash is the namespace, whichever signs are in it.
  const at = trimmed.lastIndexOf("@");
  const [place, version] = at > trimmed.lastIndexOf("/") ? cut(trimmed, at) : versionWithSlashes(trimmed);
  const segments = place.split("/").filter((segment) => segment !== "");
  const nameless = at === trimmed.lastIndexOf("/") + 1 && version !== undefined;
  const ofName = nameless ? [] : segments.splice(typeRules[type.toLowerCase()]?.path === true ? 1 : -1);
  const qualifiers = parseQualifiers(query ?? "");
  // The suite of the specification refuses `Platform` and `Arch`, and takes `repositorY_url`.
  const wrong = Object.keys(qualifiers).find((key) => /^[A-Z]/.test(key));
  if (strict && wrong !== undefined)
    throw new PurlError(`a key of a qualifier that begins in upper case: ${wrong.slice(0, 100)}`);
  return canonical({
    type,
    namespace: segments.map(decode).join("/"),
    name: ofName.map(decode).join("/"),
    version: version === undefined ? null : decode(version),
    qualifiers,
    subpath: subpath === undefined ? null : subpath.split("/").map(decode).join("/"),
  });
}

/** A version may have slashes that nobody encoded; then its `@` is the first that is not the namespace's own. */
function versionWithSlashes(path: string): [string, string | undefined] {
  const at = path.indexOf("@", 1);
  return at > 0 && path[at - 1] !== "/" ? cut(path, at) : [path, undefined];
}

/** Writes a package URL in its canonical form. Raises `PurlError`. */
export function formatPurl(parts: Partial<PackageUrl> & { type: string; name: string }): string {
  const { type, namespace, name, version, qualifiers, subpath } = canonical({
    type: parts.type,
    namespace: parts.namespace ?? null,
    name: parts.name,
    version: parts.version ?? null,
    qualifiers: parts.qualifiers ?? {},
    subpath: parts.subpath ?? null,
  });
  const names = typeRules[type]?.path === true ? name.split("/") : [name];
  const path = [type, ...(namespace === null ? [] : namespace.split("/")), ...names].map(encode).join("/");
  const query = Object.entries(qualifiers)
    .map(([key, value]) => `${key}=${encode(value)}`)
    .join("&");
  const tail = subpath === null ? "" : `#${subpath.split("/").map(encode).join("/")}`;
  return `pkg:${path}${version === null ? "" : `@${encode(version)}`}${query === "" ? "" : `?${query}`}${tail}`;
}

function canonical(parts: PackageUrl): PackageUrl {
  const type = parts.type.toLowerCase();
  if (!/^[a-z][a-z0-9.-]*$/.test(type)) throw new PurlError(`no type of package: ${parts.type.slice(0, 100)}`);
  const rule = typeRules[type] ?? {};
  const cased = (part: "namespace" | "name" | "version", value: string): string =>
    rule.lower?.includes(part) ? value.toLowerCase() : value;
  const qualifiers = canonicalQualifiers(parts.qualifiers);
  const namespace = cased("namespace", segmentsOf(parts.namespace ?? "")) || null;
  const trimmed = cased("name", parts.name.replaceAll(/^\/+|\/+$/g, ""));
  const name = rule.name?.(trimmed, qualifiers) ?? trimmed;
  const version = cased("version", parts.version ?? "") || null;
  if (name === "") throw new PurlError(`a package URL of type ${type} without a name`);
  if (rule.namespace === "required" && namespace === null) throw new PurlError(`${type}: ${name} needs a namespace`);
  if (rule.namespace === "prohibited" && namespace !== null) throw new PurlError(`${type}: ${name} has no namespace`);
  if (rule.valid?.name?.test(name) === false) throw new PurlError(`${type}: no name of a package: ${name}`);
  if (version !== null && rule.valid?.version?.test(version) === false)
    throw new PurlError(`${type}: no version of a package: ${version}`);
  for (const key of rule.qualifiers ?? [])
    if (qualifiers[key] === undefined) throw new PurlError(`${type}: ${name} needs the qualifier ${key}`);
  const subpath = segmentsOf(parts.subpath ?? "", (segment) => segment !== "." && segment !== "..") || null;
  return { type, namespace, name, version, qualifiers, subpath };
}

function segmentsOf(path: string, keep: (segment: string) => boolean = () => true): string {
  return path
    .split("/")
    .filter((segment) => segment !== "" && keep(segment))
    .join("/");
}

/** Sorted by key, empty ones left out. */
function canonicalQualifiers(qualifiers: Record<string, string>): Record<string, string> {
  const entries = Object.entries(qualifiers)
    .map(([key, value]) => [key.toLowerCase(), value] as const)
    .filter(([, value]) => value !== "")
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [key] of entries)
    if (!/^[a-z][a-z0-9._-]*$/.test(key)) throw new PurlError(`no key of a qualifier: ${key.slice(0, 100)}`);
  return Object.fromEntries(entries);
}

function parseQualifiers(query: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const pair of query.split("&")) {
    const [key, value] = cut(pair, pair.indexOf("="));
    if (value !== undefined) found[key] = decode(value);
  }
  return found;
}

function cut(text: string, at: number): [string, string | undefined] {
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Letters, digits, and `.-_~:` stay; everything else is percent-encoded. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll("%3A", ":")
    .replaceAll(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign stands for itself.
    return text;
  }
}
