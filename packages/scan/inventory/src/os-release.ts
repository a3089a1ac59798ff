import type { OperatingSystem } from "@bulwark/model";

/** Files that name the distribution, the best one first. */
export const osFiles = [
  "/etc/os-release",
  "/usr/lib/os-release",
  "/etc/alpine-release",
  "/etc/debian_version",
] as const;

/** The distribution, from whichever of the files are there. Null where none says. */
export function operatingSystemOf(files: ReadonlyMap<string, string>): OperatingSystem | null {
  for (const path of ["/etc/os-release", "/usr/lib/os-release"]) {
    const fields = parse(files.get(path) ?? "");
    const id = fields.get("ID")?.toLowerCase();
    if (!id) continue;
    const version = releaseOf(id, fields.get("VERSION_ID") ?? "", files);
    return {
      id: id.slice(0, 64),
      version: version.slice(0, 64),
      name: (fields.get("PRETTY_NAME") ?? `${id} ${version}`).slice(0, 256),
    };
  }
  const alpine = files.get("/etc/alpine-release")?.trim();
  if (alpine)
    return { id: "alpine", version: releaseOf("alpine", alpine, files), name: `Alpine Linux ${alpine}`.slice(0, 256) };
  const debian = files.get("/etc/debian_version")?.trim();
  if (debian && /^\d/.test(debian)) {
    return { id: "debian", version: debian.split(".")[0] ?? "", name: `Debian GNU/Linux ${debian}`.slice(0, 256) };
  }
  return null;
}

/** The release as advisories name it: Debian's major number, Alpine's branch. */
function releaseOf(id: string, version: string, files: ReadonlyMap<string, string>): string {
  if (id === "alpine") return alpineBranch(version || (files.get("/etc/alpine-release")?.trim() ?? ""));
  if (id !== "debian") return version;
  if (version !== "") return version.split(".")[0] ?? "";
  // Testing and unstable have no VERSION_ID.
  return files.get("/etc/debian_version")?.includes("/sid") ? "sid" : "";
}

/** `3.20.3` is of the branch `3.20`; `3.21.0_alpha20240807` is `edge`. */
function alpineBranch(version: string): string {
  if (/_(alpha|beta|pre|rc)|edge/.test(version)) return "edge";
  return /^\d+\.\d+/.exec(version)?.[0] ?? version;
}

/** Shell assignments, quoted or not. https://www.freedesktop.org/software/systemd/man/os-release.html */
function parse(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.slice(0, 65_536).split("\n")) {
    const match = /^\s*([A-Z_][A-Z0-9_]*)=(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined) fields.set(match[1], unquote(match[2] ?? ""));
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
