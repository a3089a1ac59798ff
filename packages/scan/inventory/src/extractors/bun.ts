import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { list, parseLooseJson, record, text } from "../formats/data.ts";
import { reach } from "../formats/reach.ts";

/** `bun.lock`: JSON with last commas; packages by their place, as `[name@version, registry, dependencies, checksum]`. https://bun.sh/docs/install/lockfile */
export const bun: Extractor = {
  name: "bun",
  kind: "locked",
  limit: 32 * megabyte,
  files: { names: ["bun.lock", "bun.lockb"] },
  extract(content, path): Found {
    if (path.endsWith(".lockb"))
      throw new Error("a binary lock file: bun install --save-text-lockfile writes one that can be read");
    const lock = record(parseLooseJson(content));
    const entries = record(lock["packages"]);
    const needed = neededBy(record(lock["workspaces"]), entries);
    const packages: FoundPackage[] = [];
    for (const [place, value] of Object.entries(entries)) {
      const [, name, version] = /^((?:@[^/@]+\/)?[^@]+)@(\d.*)$/.exec(text(list(value)[0]) ?? "") ?? [];
      // Others are of the workspace, links, folders, git.
      if (name === undefined || version === undefined) continue;
      packages.push({ type: "npm", name, version, development: !needed.has(place) });
    }
    return { packages, errors: [] };
  },
};

/** The places of what the workspaces need to run, and of what that needs. */
function neededBy(workspaces: Record<string, unknown>, entries: Record<string, unknown>): Set<string> {
  const names = (from: unknown): string[] =>
    ["dependencies", "optionalDependencies", "peerDependencies"].flatMap((kind) =>
      Object.keys(record(record(from)[kind])),
    );
  const placesOf = (place: string): string[] =>
    names(list(entries[place])[2]).map((name) => resolve(place, name, entries));
  const roots = Object.values(workspaces).flatMap((workspace) =>
    names(workspace).map((name) => resolve(text(record(workspace)["name"]) ?? "", name, entries)),
  );
  return reach(roots, placesOf);
}

/** As Node resolves: the nearest place outwards. `a/b` is `b` as `a` sees it. */
function resolve(from: string, name: string, entries: Record<string, unknown>): string {
  for (let at = from; at !== ""; at = at.includes("/") ? at.slice(0, at.lastIndexOf("/")) : "") {
    if (`${at}/${name}` in entries) return `${at}/${name}`;
  }
  return name;
}
