import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { record, text } from "../formats/data.ts";
import { parseYaml } from "../formats/yaml.ts";
import { reach } from "../formats/reach.ts";

/** `pnpm-lock.yaml`, versions 5 to 9. https://github.com/pnpm/spec/tree/master/lockfile */
export const pnpm: Extractor = {
  name: "pnpm",
  kind: "locked",
  limit: 16 * megabyte,
  files: { names: ["pnpm-lock.yaml"] },
  extract(content): Found {
    const lock = record(parseYaml(content));
    const version = lock["lockfileVersion"];
    const major = Math.floor(Number(version));
    if (!(major >= 5 && major <= 9)) throw new Error(`a lock file of version ${JSON.stringify(version)}`);
    const needed = major >= 9 ? neededBy(lock) : undefined;
    const packages: FoundPackage[] = [];
    const errors: string[] = [];
    for (const [key, value] of Object.entries(record(lock["packages"]))) {
      const entry = record(value);
      const [name, version] = major < 6 ? oldKey(key) : newKey(key);
      if (name === undefined || version === undefined) {
        // Addresses of archives and of git have the name inside.
        const inside = { name: text(entry["name"]), version: text(entry["version"]) };
        if (inside.name !== undefined && inside.version !== undefined)
          packages.push({ type: "npm", name: inside.name, version: inside.version });
        else if (!/^(?:@?[^@]*@)?(?:file|link):/.test(key)) errors.push(`not understood: ${key.slice(0, 200)}`);
        continue;
      }
      const development = needed ? !needed.has(`${name}@${version}`) : entry["dev"] === true;
      packages.push({ type: "npm", name, version, development });
    }
    return { packages, errors };
  },
};

/** `/@babel/core/7.1.0`, with the peers behind `_`. */
function oldKey(key: string): (string | undefined)[] {
  return /^\/((?:@[^/]+\/)?[^/]+)\/(\d[^/_(]*)/.exec(key)?.slice(1) ?? [];
}

/** `/@babel/core@7.1.0(peer@1.0.0)`, since version 9 without the slash. */
function newKey(key: string): (string | undefined)[] {
  return /^\/?((?:@[^/@]+\/)?[^/@]+)@(\d[^(:]*)/.exec(key)?.slice(1) ?? [];
}

/** Version 9 does not say what is for development: what the importers need to run leads to the rest. */
function neededBy(lock: Record<string, unknown>): Set<string> {
  const snapshots = record(lock["snapshots"]);
  const next = (from: unknown): string[] =>
    ["dependencies", "optionalDependencies"].flatMap((kind) =>
      Object.entries(record(record(from)[kind])).map(([name, value]) => {
        const version = text(value) ?? text(record(value)["version"]) ?? "";
        // An alias names the package itself in its version.
        return version in snapshots ? version : `${name}@${version}`;
      }),
    );
  const keys = reach(Object.values(record(lock["importers"])).flatMap(next), (key) => next(snapshots[key]));
  return new Set([...keys].map((key) => newKey(key).join("@")));
}
