import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { list, record, text } from "../formats/data.ts";
import { lines } from "../formats/stanza.ts";
import { parseXml } from "../formats/xml.ts";

/** `pom.xml`: the dependencies whose versions it says, by itself or by its properties. https://maven.apache.org/pom.html */
export const pom: Extractor = {
  name: "pom",
  kind: "locked",
  limit: 8 * megabyte,
  files: { names: ["pom.xml"] },
  extract(content): Found {
    const project = record(record(parseXml(content, { attributes: false }))["project"]);
    const resolve = resolver(project);
    const managed = new Map<string, string>();
    for (const item of dependencies(record(project["dependencyManagement"])))
      managed.set(nameOf(item, resolve), resolve(text(item["version"])));
    const packages: FoundPackage[] = [];
    const elsewhere: string[] = [];
    for (const item of dependencies(project)) {
      const name = nameOf(item, resolve);
      const version = resolve(text(item["version"])) || managed.get(name) || "";
      if (version === "" || version.includes("${")) elsewhere.push(name);
      else packages.push({ type: "maven", name, version: exact(version), development: item["scope"] === "test" });
    }
    const errors = elsewhere.length === 0 ? [] : [`versions that a parent or an import sets: ${elsewhere.join(", ")}`];
    return { packages, errors };
  },
};

function dependencies(of: Record<string, unknown>): Record<string, unknown>[] {
  const found = record(of["dependencies"])["dependency"];
  return (Array.isArray(found) ? list(found) : found === undefined ? [] : [found]).map(record);
}

function nameOf(item: Record<string, unknown>, resolve: (value: string | undefined) => string): string {
  return `${resolve(text(item["groupId"]))}:${resolve(text(item["artifactId"]))}`;
}

/** `[1.2]` is that version and no other; of a range the lower end is the least that may come. */
function exact(version: string): string {
  return /^[[(]\s*([^,\])\s]+)/.exec(version)?.[1] ?? version;
}

/** Properties of the file, of the project and of its parent, some deep. */
function resolver(project: Record<string, unknown>): (value: string | undefined) => string {
  const parent = record(project["parent"]);
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(record(project["properties"]))) values.set(key, text(value) ?? "");
  for (const key of ["groupId", "artifactId", "version"]) {
    const own = text(project[key]) ?? text(parent[key]) ?? "";
    values.set(key, own).set(`project.${key}`, own).set(`pom.${key}`, own);
    values.set(`project.parent.${key}`, text(parent[key]) ?? "");
  }
  return (value = "") => {
    let resolved = value.slice(0, 1024);
    for (let depth = 0; depth < 5 && resolved.includes("${"); depth++)
      resolved = resolved
        .replaceAll(/\$\{([^{}]+)\}/g, (whole, key: string) => values.get(key) ?? whole)
        .slice(0, 1024);
    return resolved.trim();
  };
}

/** `gradle.lockfile`: `group:artifact:version=configurations`. https://docs.gradle.org/current/userguide/dependency_locking.html */
export const gradle: Extractor = {
  name: "gradle",
  kind: "locked",
  limit: 16 * megabyte,
  files: {
    names: ["gradle.lockfile", "buildscript-gradle.lockfile"],
    endings: [".lockfile"],
    path: /gradle[^/]*\.lockfile$|\/dependency-locks\/[^/]+\.lockfile$/,
  },
  extract(content, path): Found {
    const packages: FoundPackage[] = [];
    for (const line of lines(content.toString("utf8"))) {
      const [, name, version, uses] = /^([^#:=\s]+:[^:=\s]+):([^:=\s]+)(?:=(.*))?$/.exec(line.trim()) ?? [];
      if (name === undefined || version === undefined) continue;
      const onlyTests = uses !== undefined && uses.split(",").every((use) => /test|lint|detekt|checkstyle/i.test(use));
      packages.push({
        type: "maven",
        name,
        version,
        development: onlyTests || path.endsWith("buildscript-gradle.lockfile"),
      });
    }
    return { packages, errors: [] };
  },
};
