import { megabyte, type Extractor, type Found } from "../extractor.ts";
import { lines } from "../formats/stanza.ts";

/** Arch Linux's packages: a folder for each, `desc` says what it is and `files` what it owns. https://man.archlinux.org/man/alpm.3 */
export const pacman: Extractor = {
  name: "pacman",
  kind: "installed",
  limit: 16 * megabyte,
  files: { names: ["desc", "files"], path: /^\/var\/lib\/pacman\/local\/[^/]+\/[^/]+$/ },
  extract(content, path): Found {
    const sections = parse(content.toString("utf8"));
    if (path.endsWith("/files"))
      return { packages: [], errors: [], owned: [{ type: "alpm", name: nameOf(path), paths: files(sections) }] };
    const name = sections.get("NAME")?.[0];
    const version = sections.get("VERSION")?.[0];
    if (!name || !version) return { packages: [], errors: ["a package without %NAME% or %VERSION%"] };
    const base = sections.get("BASE")?.[0] ?? name;
    return {
      packages: [
        {
          type: "alpm",
          name,
          version,
          architecture: sections.get("ARCH")?.[0] ?? "",
          source: { name: base, version },
          licences: sections.get("LICENSE"),
        },
      ],
      errors: [],
    };
  },
};

/** The folder is `name-version-release`. */
function nameOf(path: string): string {
  return /\/([^/]+)-[^/-]+-[^/-]+\/files$/.exec(path)?.[1] ?? "";
}

function files(sections: Map<string, string[]>): string[] {
  return (sections.get("FILES") ?? []).filter((path) => !path.endsWith("/")).map((path) => `/${path}`);
}

/** `%KEY%`, then values, one a line, up to a blank line. */
function parse(text: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let values: string[] = [];
  for (const line of lines(text)) {
    const key = /^%([A-Z0-9]+)%$/.exec(line)?.[1];
    if (key !== undefined) sections.set(key, (values = []));
    else if (line !== "") values.push(line);
  }
  return sections;
}
