import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { list, parseJson, record, text } from "../formats/data.ts";

/** `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3. https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
export const npmLock: Extractor = {
  name: "npm-lock",
  kind: "locked",
  limit: 64 * megabyte,
  files: { names: ["package-lock.json", "npm-shrinkwrap.json"] },
  extract(content, path): Found {
    const lock = record(parseJson(content));
    const packages = "packages" in lock ? ofPackages(record(lock["packages"])) : ofDependencies(lock);
    // The shrinkwrap is the one that npm itself goes by.
    return {
      packages,
      errors: [],
      ...(path.endsWith("/npm-shrinkwrap.json") && { supersedes: ["package-lock.json"] }),
    };
  },
};

/** Version 2 and 3: by place in the tree of `node_modules`. Links and what is not in `node_modules` are the project's own. */
function ofPackages(entries: Record<string, unknown>): FoundPackage[] {
  const found: FoundPackage[] = [];
  for (const [place, value] of Object.entries(entries)) {
    const entry = record(value);
    const at = place.lastIndexOf("node_modules/");
    const version = text(entry["version"]);
    if (at < 0 || entry["link"] === true || version === undefined) continue;
    const name = text(entry["name"]) ?? place.slice(at + "node_modules/".length);
    found.push({ type: "npm", name, version, licences: licences(entry), development: entry["dev"] === true });
  }
  return found;
}

/** Version 1: dependencies within dependencies. */
function ofDependencies(lock: Record<string, unknown>): FoundPackage[] {
  const found: FoundPackage[] = [];
  const open = [lock];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const [name, value] of Object.entries(record(at["dependencies"]))) {
      const entry = record(value);
      const version = text(entry["version"]);
      if (version !== undefined && !/^(?:file|link):/.test(version))
        found.push({ type: "npm", ...resolved(name, version), development: entry["dev"] === true });
      open.push(entry);
    }
  }
  return found;
}

/** `npm:real@1.0.0` is an alias; of an address of git the commit is the version. */
function resolved(name: string, version: string): { name: string; version: string } {
  const alias = /^npm:(.+)@([^@]+)$/.exec(version);
  if (alias?.[1] !== undefined && alias[2] !== undefined) return { name: alias[1], version: alias[2] };
  return { name, version: /^\w[\w+.-]*:/.test(version) ? (version.split("#")[1] ?? version) : version };
}

/**
 * `package.json` of what is installed: in `node_modules`, and where Debian puts it. Only of packages themselves, not of
 * examples and tests inside of them.
 */
export const npmInstalled: Extractor = {
  name: "npm",
  kind: "installed",
  limit: 4 * megabyte,
  files: { names: ["package.json"], path: installedManifest() },
  extract(content): Found | undefined {
    const manifest = record(parseJson(content));
    const name = text(manifest["name"]);
    const version = text(manifest["version"]);
    // Packages have folders with a package.json of their own that only says `"type": "module"`.
    if (name === undefined || version === undefined) return undefined;
    return { packages: [{ type: "npm", name, version, licences: licences(manifest) }], errors: [] };
  },
};

function installedManifest(): RegExp {
  const name = "(?:@[^/@]+/)?[^/@.][^/]*";
  const store = "(?:\\.(?:pnpm|store|bun)/[^/]+/node_modules/)?";
  const nested = `(?:node_modules/${store}${name}/)`;
  return new RegExp(
    `^(?:(?:/(?!node_modules/)[^/]+)*/${nested}+|/usr/share/nodejs/(?:${name}/)${nested}*)package\\.json$`,
  );
}

function licences(manifest: Record<string, unknown>): string[] {
  const one = text(manifest["license"]) ?? text(record(manifest["license"])["type"]);
  const several = list(manifest["licenses"]).map((item) => text(item) ?? text(record(item)["type"]));
  return [one, ...several].filter((licence) => licence !== undefined);
}
