import { errorText } from "@bulwark/model/plain";
import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { zipEntries, type ZipEntry } from "../formats/zip.ts";
import { lines, stanzas } from "../formats/stanza.ts";
import { groupOf } from "./maven-groups.ts";

const archive = /\.(?:jar|war|ear|par|sar|hpi|jpi|kar|nar|rar|lpkg)$/i;
const depthLimit = 5;
const textLimit = megabyte;
/** Of all archives inside of one, unpacked. */
const nestedLimit = 1024 * megabyte;

/**
 * Archives of Java and the archives in them: what Maven wrote into `pom.properties` (of a jar that has others merged into
 * it, for each), else what the manifest and the file's name say.
 */
export const jar: Extractor = {
  name: "jar",
  kind: "installed",
  limit: 512 * megabyte,
  files: { endings: [".jar", ".war", ".ear", ".par", ".sar", ".hpi", ".jpi", ".kar", ".nar", ".lpkg"] },
  extract(content, path): Found {
    const found: Found = { packages: [], errors: [] };
    look(content, path.slice(path.lastIndexOf("/") + 1), undefined, found, { bytes: nestedLimit, depth: depthLimit });
    return found;
  },
};

interface Left {
  bytes: number;
  depth: number;
}

function look(content: Buffer, name: string, inside: string | undefined, found: Found, left: Left): void {
  const projects: FoundPackage[] = [];
  let manifest: Map<string, string> | undefined;
  for (const entry of zipEntries(content)) {
    const place = inside === undefined ? entry.name : `${inside}!/${entry.name}`;
    try {
      if (entry.name === "META-INF/MANIFEST.MF") [manifest] = stanzas(unfolded(entry));
      else if (/^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/.test(entry.name)) {
        const project = projectOf(entry);
        if (project) projects.push(project);
      } else if (archive.test(entry.name) && entry.size > 0) nested(entry, place, found, left);
    } catch (error) {
      found.errors.push(`${place}: ${errorText(error)}`);
    }
  }
  if (!hasOwn(projects, name)) {
    const own = ownOf(manifest, name);
    if (own && !projects.some((project) => project.name.split(":")[1] === own.name.split(":")[1]))
      projects.unshift(own);
  }
  found.packages.push(...projects.map((project) => ({ ...project, inside })));
}

function nested(entry: ZipEntry, place: string, found: Found, left: Left): void {
  if (left.depth === 0) throw new Error(`archives within archives, more than ${depthLimit} deep`);
  const bytes = entry.read(left.bytes);
  left.bytes -= bytes.length;
  look(bytes, entry.name.slice(entry.name.lastIndexOf("/") + 1), place, found, { ...left, depth: left.depth - 1 });
}

/** `groupId=…`, `artifactId=…`, `version=…` https://maven.apache.org/shared/maven-archiver/ */
function projectOf(entry: ZipEntry): FoundPackage | undefined {
  const values = new Map<string, string>();
  for (const line of lines(entry.read(textLimit).toString("utf8"))) {
    const [, key, value] = /^\s*(groupId|artifactId|version)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value);
  }
  const [group, artifact, version] = ["groupId", "artifactId", "version"].map((key) => values.get(key) ?? "");
  return group && artifact && version ? { type: "maven", name: `${group}:${artifact}`, version } : undefined;
}

function hasOwn(projects: FoundPackage[], name: string): boolean {
  return projects.some((project) => name.startsWith(project.name.split(":")[1] ?? ""));
}

/** Lines of a manifest are 72 bytes; what is longer goes on behind a blank. https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html */
function unfolded(entry: ZipEntry): string {
  return entry
    .read(textLimit)
    .toString("utf8")
    .replaceAll(/\r?\n /g, "");
}

/** What the archive is itself: its file's name says the artifact best, its manifest the version and the group. */
function ownOf(manifest: Map<string, string> | undefined, file: string): FoundPackage | undefined {
  const value = (...keys: string[]): string | undefined =>
    keys
      .map((key) => manifest?.get(key)?.trim())
      .find((text) => text !== undefined && text !== "" && !text.includes("${"));
  const [, named, numbered] = /^(.+?)-(\d[\w.+-]*?)(?:[-.]RELEASE)?\.\w+$/.exec(file) ?? [];
  const symbolic = value("Bundle-SymbolicName")?.split(";")[0]?.trim();
  const title = value("Implementation-Title", "Specification-Title", "Bundle-Name");
  const artifact = named ?? (title && /^[\w.-]+$/.test(title) ? title : undefined) ?? file.replace(/\.\w+$/, "");
  const version =
    numbered ?? value("Implementation-Version", "Bundle-Version", "Specification-Version", "Plugin-Version");
  if (version === undefined) return undefined;
  const group =
    groupOf(artifact) ?? value("Implementation-Vendor-Id", "Group-Id") ?? groupFromSymbolicName(symbolic, artifact);
  return { type: "maven", name: group === undefined ? artifact : `${group}:${artifact}`, version };
}

/** `org.apache.commons.lang3` of `commons-lang3` is of nothing that can be told; `com.google.guava` of `guava` is. */
function groupFromSymbolicName(symbolic: string | undefined, artifact: string): string | undefined {
  if (symbolic === undefined || !/^[a-z]\w*(?:\.[\w-]+)+$/.test(symbolic)) return undefined;
  return symbolic.endsWith(`.${artifact}`) ? symbolic.slice(0, -artifact.length - 1) : symbolic;
}
