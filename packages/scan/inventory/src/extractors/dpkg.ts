import { plainPackage, type InstalledPackage } from "@bulwark/model";
import type { Extractor, FileFacts } from "../extractor.ts";
import { purl } from "../purl.ts";

/**
 * Debian's and Ubuntu's packages: `status`, and the `status.d` of images without a package manager. Only what is
 * `install ok installed`: a package whose configuration alone is left has no code on the disk.
 */
export const dpkg: Extractor = {
  name: "dpkg",
  limit: 64 * 1024 * 1024,
  wants: (path) => path === "/var/lib/dpkg/status" || (statusFolder.test(path) && !path.endsWith(".md5sums")),
  extract(content, file) {
    const packages: InstalledPackage[] = [];
    const errors: string[] = [];
    const alone = file.path !== "/var/lib/dpkg/status";
    for (const stanza of content.toString("utf8").split(/\n[ \t]*\n/)) {
      if (stanza.trim() === "") continue;
      const fields = parse(stanza);
      // The files of status.d are of packages that were unpacked without dpkg, and carry no status.
      if (!(alone && !fields.has("Status")) && fields.get("Status") !== "install ok installed") continue;
      const found = toPackage(fields, file);
      if (typeof found === "string") errors.push(found);
      else packages.push(found);
    }
    return { packages, errors };
  },
};

const statusFolder = /^\/var\/lib\/dpkg\/status\.d\/[^/]+$/;

function toPackage(fields: Map<string, string>, { path, layer, os }: FileFacts): InstalledPackage | string {
  const name = fields.get("Package") ?? "";
  const version = fields.get("Version") ?? "";
  if (name === "" || version === "")
    return `a package without a ${name === "" ? "name" : `version: ${name.slice(0, 100)}`}`;
  const architecture = fields.get("Architecture") ?? "";
  const source = sourceOf(fields.get("Source"), name, version);
  const vendor = os?.id ?? "debian";
  return {
    type: "deb",
    name: name.slice(0, 256),
    version: version.slice(0, 256),
    architecture: architecture.slice(0, 64),
    source,
    purl: purl("deb", vendor, name, version, {
      arch: architecture,
      distro: os ? `${os.id}-${os.version}` : undefined,
      upstream: source.name === name && source.version === version ? undefined : sourceText(source, version),
    }).slice(0, 1024),
    licences: [],
    location: path,
    layer,
    ...plainPackage,
  };
}

/** `Source: glibc` or `Source: gcc-12 (12.2.0-14)`; where it is absent the source has the package's name and version. */
function sourceOf(text: string | undefined, name: string, version: string): { name: string; version: string } {
  const match = /^(\S+)(?:\s+\(([^)]+)\))?$/.exec(text ?? "");
  return { name: (match?.[1] ?? name).slice(0, 256), version: (match?.[2] ?? version).slice(0, 256) };
}

function sourceText(source: { name: string; version: string }, version: string): string {
  return source.version === version ? source.name : `${source.name}@${source.version}`;
}

/** Fields of a stanza; lines that go on begin with a blank and are not needed. */
function parse(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of stanza.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && line[0] !== " " && line[0] !== "\t")
      fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}
