import { megabyte, type Extractor, type FoundPackage, type Owned } from "../extractor.ts";
import { lines } from "../formats/stanza.ts";

/**
 * Alpine's packages with their origins and files, also of Wolfi and Chainguard.
 * Format: https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2
 */
export const apk: Extractor = {
  name: "apk",
  kind: "installed",
  limit: 64 * megabyte,
  files: { names: ["installed"], path: /^(?:\/usr)?\/lib\/apk\/db\/installed$/ },
  extract(content) {
    const packages: FoundPackage[] = [];
    const errors: string[] = [];
    const owned: Owned[] = [];
    for (const { fields, paths } of entries(content.toString("utf8"))) {
      const found = toPackage(fields);
      if (typeof found === "string") {
        errors.push(found);
        continue;
      }
      packages.push(found);
      owned.push({ type: "apk", name: found.name, paths });
    }
    return { packages, errors, owned };
  },
};

function toPackage(fields: Map<string, string>): FoundPackage | string {
  const name = fields.get("P") ?? "";
  const version = fields.get("V") ?? "";
  if (name === "" || version === "")
    return `a package without a ${name === "" ? "name" : `version: ${name.slice(0, 100)}`}`;
  return {
    type: "apk",
    name,
    version,
    architecture: fields.get("A") ?? "",
    // Advisories name the origin: the recipe that all sub-packages are built from, in one version.
    source: { name: fields.get("o") ?? name, version },
    licences: [fields.get("L") ?? ""],
  };
}

interface Entry {
  fields: Map<string, string>;
  paths: string[];
}

/** One letter, a colon, a value. `F:` is a folder, and `R:` a file in the folder named last. */
function* entries(text: string): Generator<Entry> {
  let entry: Entry = { fields: new Map(), paths: [] };
  let folder = "";
  for (const line of lines(text)) {
    if (line === "") {
      if (entry.fields.size > 0) yield entry;
      entry = { fields: new Map(), paths: [] };
      folder = "";
      continue;
    }
    if (line[1] !== ":") continue;
    const key = line.slice(0, 1);
    const value = line.slice(2).trim();
    if (key === "F") folder = value === "" ? "" : `/${value}`;
    else if (key === "R") entry.paths.push(`${folder}/${value}`);
    else if (!entry.fields.has(key)) entry.fields.set(key, value);
  }
  if (entry.fields.size > 0) yield entry;
}
