import { megabyte, type Extractor, type Found } from "../extractor.ts";
import { programs } from "./program-versions.ts";

const names = programs.flatMap((program) => program.names ?? []);
const placesLimit = 1000;
/** How far from the anchor a version stands. */
const reachOf = 200;

/** Well-known programs that no package manager brought, recognised by their name and by the version in their own bytes. */
export const programBinary: Extractor = {
  name: "program",
  kind: "installed",
  limit: 512 * megabyte,
  files: {
    names,
    programs: true,
    endings: [".so"],
    path: new RegExp(programs.map(({ path }) => path.source).join("|")),
  },
  extract(content, path): Found | undefined {
    if (content.length < 64 || content.readUInt32BE(0) !== 0x7f454c46) return undefined;
    for (const program of programs) {
      if (!program.path.test(path)) continue;
      const version = versionIn(content, program.anchor, program.version);
      const name = program.name;
      if (version !== undefined)
        return { packages: [{ type: "binary", name, version, licences: [program.licence] }], errors: [] };
    }
    return undefined;
  },
};

/** Only around the places of a fixed text is a pattern tried: that is one fast pass, however large the program. */
function versionIn(content: Buffer, anchor: string, pattern: RegExp): string | undefined {
  let places = 0;
  for (
    let at = content.indexOf(anchor, 0, "latin1");
    at >= 0 && places < placesLimit;
    at = content.indexOf(anchor, at + 1, "latin1")
  ) {
    places++;
    const around = content.toString("latin1", Math.max(0, at - reachOf), at + reachOf);
    const found = pattern.exec(around)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}
