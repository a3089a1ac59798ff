import type { OperatingSystem } from "@bulwark/model";
import { lines } from "./formats/stanza.ts";

/**
 * The distribution, from whichever of its files are there (texts by path). Null where none says: os-release, then the
 * files that distributions had before it, and that some images have only.
 */
export function operatingSystemOf(files: ReadonlyMap<string, string>): OperatingSystem | null {
  const found =
    fromOsRelease(files, "/etc/os-release") ??
    fromOsRelease(files, "/usr/lib/os-release") ??
    fromAlpineRelease(files) ??
    fromRedHatRelease(files) ??
    fromLsbRelease(files) ??
    fromDebianVersion(files);
  if (!found) return null;
  return { id: found.id.slice(0, 64), version: found.version.slice(0, 64), name: found.name.slice(0, 256) };
}

type Files = ReadonlyMap<string, string>;

/** https://www.freedesktop.org/software/systemd/man/os-release.html */
function fromOsRelease(files: Files, path: string): OperatingSystem | undefined {
  const fields = assignments(files.get(path) ?? "");
  const id = fields.get("ID")?.toLowerCase();
  if (!id) return undefined;
  const version = releaseOf(id, fields.get("VERSION_ID") ?? "", files);
  return { id, version, name: fields.get("PRETTY_NAME") ?? `${fields.get("NAME") ?? id} ${version}`.trim() };
}

function fromAlpineRelease(files: Files): OperatingSystem | undefined {
  const version = files.get("/etc/alpine-release")?.trim();
  return version
    ? { id: "alpine", version: releaseOf("alpine", version, files), name: `Alpine Linux ${version}` }
    : undefined;
}

/** `CentOS release 6.10 (Final)`, `Red Hat Enterprise Linux Server release 6.9 (Santiago)`. */
function fromRedHatRelease(files: Files): OperatingSystem | undefined {
  const line = ["centos", "rocky", "almalinux", "oracle", "fedora", "redhat", "system"]
    .map((name) => files.get(`/etc/${name}-release`)?.trim())
    .find((text) => text !== undefined && / release \d/.test(text));
  const match = /^(.+?)(?: Linux)?(?: Server)? release (\d+(?:\.\d+)*)/.exec(line ?? "");
  const id = redHatIds.find(([name]) => match?.[1]?.toLowerCase().startsWith(name))?.[1];
  return match?.[2] === undefined || id === undefined || line === undefined
    ? undefined
    : { id, version: match[2], name: line };
}

const redHatIds = [
  ["centos", "centos"],
  ["red hat enterprise", "rhel"],
  ["rocky", "rocky"],
  ["almalinux", "almalinux"],
  ["oracle", "ol"],
  ["fedora", "fedora"],
  ["amazon", "amzn"],
] as const;

/** Ubuntu's and its children's. */
function fromLsbRelease(files: Files): OperatingSystem | undefined {
  const fields = assignments(files.get("/etc/lsb-release") ?? "");
  const id = fields.get("DISTRIB_ID")?.toLowerCase();
  const version = fields.get("DISTRIB_RELEASE") ?? "";
  return id ? { id, version, name: fields.get("DISTRIB_DESCRIPTION") ?? `${id} ${version}` } : undefined;
}

function fromDebianVersion(files: Files): OperatingSystem | undefined {
  const text = files.get("/etc/debian_version")?.trim();
  if (!text || !/^\d|\/sid$/.test(text)) return undefined;
  return {
    id: "debian",
    version: releaseOf("debian", text.endsWith("/sid") ? "" : text, files),
    name: `Debian GNU/Linux ${text}`,
  };
}

/** Trivy's families that are not called as in os-release; https://github.com/aquasecurity/trivy/blob/main/pkg/fanal/types/const.go */
const families = new Map([
  ["redhat", "rhel"],
  ["alma", "almalinux"],
  ["amazon", "amzn"],
  ["oracle", "ol"],
  ["suse linux enterprise server", "sles"],
  ["opensuse.leap", "opensuse-leap"],
  ["opensuse.tumbleweed", "opensuse-tumbleweed"],
  ["cbl-mariner", "mariner"],
]);

/** A distribution that another tool told of, in the words of os-release, and its release as advisories name it. */
export function systemNamed({ id, version, name }: OperatingSystem): OperatingSystem {
  const known = families.get(id) ?? id;
  // `2 (Karoo)` of Amazon Linux
  return { id: known, version: releaseOf(known, version.split(" ")[0] ?? "", new Map()) || version, name };
}

/** The release as advisories name it: Debian's major number, Alpine's branch. */
function releaseOf(id: string, version: string, files: Files): string {
  if (id === "alpine") return alpineBranch(version || (files.get("/etc/alpine-release")?.trim() ?? ""));
  if (id !== "debian") return version;
  if (version !== "") return version.split(".")[0] ?? "";
  // Testing and unstable have no VERSION_ID.
  return files.get("/etc/debian_version")?.trim().endsWith("/sid") ? "sid" : "";
}

/** `3.20.3` is of the branch `3.20`; `3.21.0_alpha20240807` is `edge`. */
function alpineBranch(version: string): string {
  if (/_(alpha|beta|pre|rc)|edge/.test(version)) return "edge";
  return /^\d+\.\d+/.exec(version)?.[0] ?? version;
}

/** Shell assignments, quoted or not. */
function assignments(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines(text.slice(0, 65_536))) {
    const match = /^\s*([A-Z_][A-Z0-9_]*)=(.*)$/.exec(line);
    if (match?.[1] !== undefined) fields.set(match[1], unquote((match[2] ?? "").trim()));
  }
  return fields;
}

function unquote(text: string): string {
  const quote = text[0];
  if ((quote === '"' || quote === "'") && text.length > 1 && text.endsWith(quote)) {
    return text.slice(1, -1).replaceAll(/\\(["'\\$`])/g, "$1");
  }
  return text;
}

/** Files that name the distribution. */
export const osFiles: readonly string[] = [
  "/etc/os-release",
  "/usr/lib/os-release",
  "/etc/alpine-release",
  "/etc/debian_version",
  "/etc/lsb-release",
  ...["centos", "rocky", "almalinux", "oracle", "fedora", "redhat", "system"].map((name) => `/etc/${name}-release`),
];
