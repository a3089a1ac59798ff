import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { list, parseJson, record, text } from "../formats/data.ts";
import { parseXml } from "../formats/xml.ts";

/** `*.deps.json` beside a published program. https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md */
export const dotnetDeps: Extractor = {
  name: "dotnet-deps",
  kind: "installed",
  limit: 32 * megabyte,
  files: { endings: [".json"], path: /\.deps\.json$/ },
  extract(content): Found {
    const packages: FoundPackage[] = [];
    for (const [key, value] of Object.entries(record(record(parseJson(content))["libraries"]))) {
      const slash = key.lastIndexOf("/");
      const type = text(record(value)["type"]);
      if (slash < 1 || (type !== "package" && type !== "runtimepack")) continue;
      packages.push({
        type: "nuget",
        name: key.slice(0, slash).replace(/^runtimepack\./, ""),
        version: key.slice(slash + 1),
      });
    }
    return { packages, errors: [] };
  },
};

/** `packages.lock.json` https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#locking-dependencies */
export const nugetLock: Extractor = {
  name: "nuget-lock",
  kind: "locked",
  limit: 32 * megabyte,
  files: { names: ["packages.lock.json"] },
  extract(content): Found {
    const packages: FoundPackage[] = [];
    for (const framework of Object.values(record(record(parseJson(content))["dependencies"]))) {
      for (const [name, value] of Object.entries(record(framework))) {
        const version = text(record(value)["resolved"]);
        if (version !== undefined && record(value)["type"] !== "Project")
          packages.push({ type: "nuget", name, version });
      }
    }
    return { packages, errors: [] };
  },
};

/** `packages.config` of older projects. https://learn.microsoft.com/nuget/reference/packages-config */
export const nugetConfig: Extractor = {
  name: "nuget-config",
  kind: "locked",
  limit: 8 * megabyte,
  files: { names: ["packages.config"] },
  extract(content): Found {
    const root = record(record(parseXml(content, { attributes: true }))["packages"]);
    const packages = many(root["package"]).map((entry) => {
      const name = text(entry["id"]);
      const version = text(entry["version"]);
      if (name === undefined || version === undefined) throw new Error("a package without id or version");
      return { type: "nuget" as const, name, version, development: entry["developmentDependency"] === "true" };
    });
    return { packages, errors: [] };
  },
};

/**
 * `Directory.Packages.props`: the versions of all projects below, in one place. A version that is made of properties of other
 * files is nobody's here. https://learn.microsoft.com/nuget/consume-packages/central-package-management
 */
export const nugetCentral: Extractor = {
  name: "nuget-central",
  kind: "locked",
  limit: 8 * megabyte,
  files: { names: ["Directory.Packages.props"] },
  extract(content): Found {
    const project = record(record(parseXml(content, { attributes: true }))["Project"]);
    const properties = new Map(
      many(project["PropertyGroup"]).flatMap((group) =>
        Object.entries(group).flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : [])),
      ),
    );
    const items = many(project["ItemGroup"]).flatMap((group) => [
      ...many(group["PackageVersion"]),
      ...many(group["GlobalPackageReference"]),
    ]);
    const packages = items.flatMap((item): FoundPackage[] => {
      const name = text(item["Include"]);
      const written = text(item["Version"]) ?? "";
      const version = written.replaceAll(
        /\$\((\w+)\)/g,
        (whole, property: string) => properties.get(property) ?? whole,
      );
      // Ranges and properties of elsewhere name no version.
      const exact = /^\[?(\d[\w.+-]*)\]?$/.exec(version.trim())?.[1];
      return name === undefined || exact === undefined ? [] : [{ type: "nuget", name, version: exact }];
    });
    return { packages, errors: [] };
  },
};

/** One element, or several of the same name. */
function many(value: unknown): Record<string, unknown>[] {
  if (value === undefined || value === "") return [];
  return (Array.isArray(value) ? list(value) : [value]).map(record);
}
