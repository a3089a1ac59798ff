import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { record, text } from "../formats/data.ts";
import { parseYaml } from "../formats/yaml.ts";

/** `pubspec.lock` https://dart.dev/tools/pub/glossary#lockfile */
export const pub: Extractor = {
  name: "pub",
  kind: "locked",
  limit: 8 * megabyte,
  files: { names: ["pubspec.lock"] },
  extract(content): Found {
    const packages: FoundPackage[] = [];
    for (const [name, value] of Object.entries(record(record(parseYaml(content))["packages"]))) {
      const entry = record(value);
      const version = text(entry["version"]);
      // What comes with the SDK has its version, and `path` is the project's own.
      if (version === undefined || entry["source"] === "sdk" || entry["source"] === "path") continue;
      packages.push({ type: "pub", name, version, development: entry["dependency"] === "direct dev" });
    }
    return { packages, errors: [] };
  },
};
