import type { TreeEntry } from "@bulwark/image";
import type { Extractor } from "./extractor.ts";
import { extractors } from "./extractors/index.ts";

const byName = index((extractor) => extractor.files.names);
const byEnding = index((extractor) => extractor.files.endings);
const byFolder = index((extractor) => extractor.files.folders);
const ofPrograms = extractors.filter(({ files }) => files.programs === true);

/** The extractors that a file is for: mostly none, and that is found out without trying each of them. */
export function extractorsOf({ path, mode, size }: Pick<TreeEntry, "path" | "mode" | "size">): Extractor[] {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const ending = endingOf(name);
  const candidates = [
    ...(byName.get(name) ?? []),
    ...(byEnding.get(ending) ?? []),
    ...(byFolder.get(path.slice(0, slash)) ?? []),
    ...((mode & 0o111) !== 0 && size >= smallestProgram && isProgramName(ending) ? ofPrograms : []),
  ];
  if (candidates.length === 0) return none;
  return [...new Set(candidates)].filter(
    ({ kind, files }) => (files.path?.test(path) ?? true) && !(kind === "locked" && insidePackage.test(path)),
  );
}

/** Lock files that a package brings with it say what its authors develop with. */
const insidePackage =
  /\/(?:node_modules|(?:site|dist)-packages|gems\/[^/]+|share\/(?:doc|gems|nodejs)|go\/pkg\/mod|registry\/src|\.m2\/repository)\//;

/** From the last dot on; of a library with its version, `libcrypto.so.3`, it is `.so`. */
function endingOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const ending = dot < 0 ? "" : name.slice(dot);
  return /^\.\d/.test(ending) && /\.so(?:\.\d+)+$/.test(name) ? ".so" : ending;
}

const none: Extractor[] = [];
/** A header of ELF and one segment. */
const smallestProgram = 120;

/** No ending, or what follows a dot of a version: `python3.11`, `node-v22.1.0`. */
function isProgramName(ending: string): boolean {
  return ending === "" || /^\.(?:\d|bin$|exe$|x86_64$|amd64$|arm64$|aarch64$)/.test(ending);
}

function index(keysOf: (extractor: Extractor) => readonly string[] | undefined): Map<string, Extractor[]> {
  const found = new Map<string, Extractor[]>();
  for (const extractor of extractors)
    for (const key of keysOf(extractor) ?? []) found.set(key, [...(found.get(key) ?? []), extractor]);
  return found;
}
