import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { openElf } from "../formats/elf.ts";
import { readGoBuildInfo, type GoBuildInfo, type GoModule } from "../formats/go-buildinfo.ts";

/** The modules that a program of Go was built from, and the standard library as one of them. Stripped ones too. */
export const goBinary: Extractor = {
  name: "go-binary",
  kind: "installed",
  limit: 512 * megabyte,
  files: { programs: true },
  extract(content): Found | undefined {
    const elf = openElf(content);
    const info = elf && readGoBuildInfo(elf);
    if (!info) return undefined;
    const packages: FoundPackage[] = [...modules(info), ...standardLibrary(info)];
    return { packages, errors: [] };
  },
};

function modules(info: GoBuildInfo): FoundPackage[] {
  const found = info.dependencies.map(used);
  const main = info.main && used(info.main);
  if (main) found.unshift({ ...main, version: mainVersion(main.version, info) });
  return found.filter(({ path }) => path !== "").map(({ path, version }) => ({ type: "golang", name: path, version }));
}

/** A folder that takes the place of a module is what somebody works on, whatever version was asked for: mostly `v0.0.0`. */
function used({ path, version, replacedBy }: GoModule): GoModule {
  if (!replacedBy) return { path, version };
  return /^\.{0,2}\//.test(replacedBy.path) ? { path, version: "(devel)" } : replacedBy;
}

/**
 * A program that was built from its own checkout is of the version `(devel)`, and so is one whose checkout knew no tags, which
 * Go calls `v0.0.0` with a date: it is older than every release by name alone. Many are told their version at linking.
 */
function mainVersion(version: string, { settings }: GoBuildInfo): string {
  if (version !== "" && version !== "(devel)" && !/^v0\.0\.0-\d{14}-/.test(version)) return version;
  const told = /-X\s*=?\s*["']?[^\s"'=]*\.(?:[vV]ersion|VERSION|gitVersion)=["']?v?(\d+\.\d+\.\d+[\w.+-]*)/;
  const linked = told.exec(settings.get("-ldflags") ?? "")?.[1];
  return linked === undefined ? "(devel)" : `v${linked}`;
}

function standardLibrary({ goVersion }: GoBuildInfo): FoundPackage[] {
  const version = /\bgo(\d[^\s-]*)/.exec(goVersion)?.[1];
  return version === undefined ? [] : [{ type: "golang", name: "stdlib", version, licences: ["BSD-3-Clause"] }];
}
