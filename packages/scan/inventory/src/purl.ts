/**
 * A package URL, https://github.com/package-url/purl-spec: type, namespace, name, version and qualifiers, each encoded as
 * the specification says, qualifiers sorted, empty ones left out.
 */
export function purl(
  type: string,
  namespace: string | null,
  name: string,
  version: string,
  qualifiers: Record<string, string | undefined> = {},
): string {
  const query = Object.entries(qualifiers)
    .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${encode(value)}`)
    .join("&");
  const path = [type, ...(namespace ? namespace.split("/").map(encode) : []), encode(name)].join("/");
  return `pkg:${path}@${encode(version)}${query === "" ? "" : `?${query}`}`;
}

/** Letters, digits, and `.-_~:` stay; everything else is percent-encoded. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%3A", ":")
    .replaceAll(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}
