import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { lines, stanzas } from "../formats/stanza.ts";

const statusFile = /^\/var\/lib\/dpkg\/(?:status|status\.d\/[^/]+(?<!\.md5sums))$/;

/**
 * Debian's and Ubuntu's packages: `status`, and the `status.d` of images without a package manager. Only what is
 * `install ok installed`: a package whose configuration alone is left has no code on the disk.
 */
export const dpkg: Extractor = {
  name: "dpkg",
  kind: "installed",
  limit: 64 * megabyte,
  files: { names: ["status"], folders: ["/var/lib/dpkg/status.d"], path: statusFile },
  extract(content, path) {
    const packages: FoundPackage[] = [];
    const errors: string[] = [];
    const alone = path !== "/var/lib/dpkg/status";
    for (const fields of stanzas(content.toString("utf8"))) {
      // The files of status.d are of packages that were unpacked without dpkg, and carry no status.
      if (!(alone && !fields.has("Status")) && fields.get("Status") !== "install ok installed") continue;
      const found = toPackage(fields);
      if (typeof found === "string") errors.push(found);
      else packages.push(found);
    }
    return { packages, errors };
  },
};

function toPackage(fields: Map<string, string>): FoundPackage | string {
  const name = fields.get("Package") ?? "";
  const version = fields.get("Version") ?? "";
  if (name === "" || version === "")
    return `a package without a ${name === "" ? "name" : `version: ${name.slice(0, 100)}`}`;
  const source = sourceOf(fields.get("Source"), name, version);
  return { type: "deb", name, version, architecture: fields.get("Architecture") ?? "", source };
}

/** `Source: glibc` or `Source: gcc-12 (12.2.0-14)`; where it is absent the source has the package's name and version. */
function sourceOf(text: string | undefined, name: string, version: string): FoundPackage["source"] {
  const match = /^(\S+)(?:\s+\(([^)]+)\))?$/.exec(text ?? "");
  return match ? { name: match[1] ?? name, version: match[2] ?? version } : undefined;
}

const listFile = /^\/var\/lib\/dpkg\/(?:info\/([^/:]+)(?::[^/]+)?\.list|status\.d\/([^/]+)\.md5sums)$/;

/** Which files a package of Debian owns: `info/libc6:amd64.list`, and the checksums beside `status.d`. */
export const dpkgFiles: Extractor = {
  name: "dpkg-files",
  kind: "installed",
  limit: 16 * megabyte,
  files: { endings: [".list", ".md5sums"], path: listFile },
  extract(content, path): Found {
    const [, installed, unpacked] = listFile.exec(path) ?? [];
    const paths: string[] = [];
    for (const line of lines(content.toString("utf8"))) {
      const owned = path.endsWith(".md5sums") ? `/${line.slice(34).replace(/^\.?\//, "")}` : line;
      if (owned.startsWith("/")) paths.push(owned);
    }
    return { packages: [], errors: [], owned: [{ type: "deb", name: installed ?? unpacked ?? "", paths }] };
  },
};

const copyrightFile = /^\/usr\/share\/doc\/([^/]+)\/copyright$/;

/** Licences of a package of Debian, from its copyright file. */
export const dpkgCopyright: Extractor = {
  name: "dpkg-copyright",
  kind: "installed",
  limit: 4 * megabyte,
  files: { names: ["copyright"], path: copyrightFile },
  extract(content, path) {
    const licences = licencesOf(content.toString("utf8"));
    const name = copyrightFile.exec(path)?.[1] ?? "";
    return licences.length === 0
      ? undefined
      : { packages: [], errors: [], licences: [{ type: "deb", name, licences }] };
  },
};

/**
 * The `License:` fields where the file is machine-readable
 * (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/), else the texts below
 * `/usr/share/common-licenses` that it names.
 */
function licencesOf(text: string): string[] {
  const found = new Set<string>();
  if (/^Format:.*copyright-format|^Format-Specification:/im.test(text.slice(0, 4096))) {
    for (const match of text.matchAll(/^License:[ \t]*(\S.*?)[ \t]*$/gm)) {
      for (const part of (match[1] ?? "").split(/,?\s+(?:and|or)\s+|,\s*/i)) if (part !== "") found.add(part);
    }
  } else {
    for (const match of text.matchAll(/\/usr\/share\/common-licenses\/([A-Za-z0-9.+-]*[A-Za-z0-9+])/g))
      found.add(match[1] ?? "");
  }
  return [...found].slice(0, 64);
}
