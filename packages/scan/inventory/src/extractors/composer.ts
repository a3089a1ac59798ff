import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { list, parseJson, record, text } from "../formats/data.ts";

/** `composer.lock` https://getcomposer.org/doc/01-basic-usage.md#commit-your-composer-lock-file-to-version-control */
export const composerLock: Extractor = {
  name: "composer-lock",
  kind: "locked",
  limit: 32 * megabyte,
  files: { names: ["composer.lock"] },
  extract(content): Found {
    const lock = record(parseJson(content));
    const of = (key: string, development: boolean): FoundPackage[] =>
      list(lock[key]).map((entry) => ({ ...toPackage(entry), development }));
    return { packages: [...of("packages", false), ...of("packages-dev", true)], errors: [] };
  },
};

/** `vendor/composer/installed.json`, of Composer 1 (a list) and 2. */
export const composerInstalled: Extractor = {
  name: "composer",
  kind: "installed",
  limit: 32 * megabyte,
  files: { names: ["installed.json"], path: /\/composer\/installed\.json$/ },
  extract(content): Found {
    const document = parseJson(content);
    const development = new Set(list(record(document)["dev-package-names"]));
    const packages = (Array.isArray(document) ? list(document) : list(record(document)["packages"])).map((entry) => {
      const item = toPackage(entry);
      return { ...item, development: development.has(item.name) };
    });
    return { packages, errors: [] };
  },
};

function toPackage(value: unknown): FoundPackage {
  const entry = record(value);
  const name = text(entry["name"]);
  const version = text(entry["version"]);
  if (name === undefined || version === undefined) throw new Error("a package without name or version");
  const licences = list(entry["license"])
    .map(text)
    .filter((licence) => licence !== undefined);
  return { type: "composer", name: name.toLowerCase(), version, licences };
}
