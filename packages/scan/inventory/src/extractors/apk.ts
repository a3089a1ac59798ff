import { plainPackage, type InstalledPackage } from "@bulwark/model";
import type { Extractor, FileFacts } from "../extractor.ts";
import { purl } from "../purl.ts";

/** Alpine's packages. Format: https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2 */
export const apk: Extractor = {
  name: "apk",
  limit: 64 * 1024 * 1024,
  wants: (path) => path === "/lib/apk/db/installed" || path === "/usr/lib/apk/db/installed",
  extract(content, file) {
    const packages: InstalledPackage[] = [];
    const errors: string[] = [];
    for (const stanza of content.toString("utf8").split(/\n\n+/)) {
      if (stanza.trim() === "") continue;
      const found = toPackage(parse(stanza), file);
      if (typeof found === "string") errors.push(found);
      else packages.push(found);
    }
    return { packages, errors };
  },
};

function toPackage(fields: Map<string, string>, { path, layer, os }: FileFacts): InstalledPackage | string {
  const name = fields.get("P") ?? "";
  const version = fields.get("V") ?? "";
  if (name === "" || version === "")
    return `a package without a ${name === "" ? "name" : `version: ${name.slice(0, 100)}`}`;
  const architecture = fields.get("A") ?? "";
  const origin = fields.get("o") ?? name;
  return {
    type: "apk",
    name: name.slice(0, 256),
    version: version.slice(0, 256),
    architecture: architecture.slice(0, 64),
    // Advisories name the origin: the recipe that all sub-packages are built from, in one version.
    source: { name: origin.slice(0, 256), version: version.slice(0, 256) },
    purl: purl("apk", os?.id ?? "alpine", name, version, {
      arch: architecture,
      distro: os ? `${os.id}-${os.version}` : undefined,
      upstream: origin === name ? undefined : origin,
    }).slice(0, 1024),
    licences: (fields.get("L") ?? "")
      .split(/\s+(?:AND|OR|and|or)\s+|\s+/)
      .filter((text) => text !== "" && text !== "custom")
      .slice(0, 64)
      .map((text) => text.slice(0, 256)),
    location: path,
    layer,
    ...plainPackage,
  };
}

/** One letter, a colon, a value. The list of files (F:, R:, Z:, …) is passed over. */
function parse(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of stanza.split("\n")) {
    if (line[1] !== ":" || fields.has(line.slice(0, 1))) continue;
    fields.set(line.slice(0, 1), line.slice(2).trim());
  }
  return fields;
}
