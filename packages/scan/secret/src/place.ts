import type { AllowDocument } from "./document.ts";

/** What the place of a file says of the credentials in it. */
interface Place {
  readonly documentation: boolean;
  readonly vendored: boolean;
}

export interface Places {
  /** Whether a file is looked at, by its path. */
  wants(path: string): boolean;
  /** Whether an executable is looked at, by its path. */
  wantsBinary(path: string): boolean;
  of(path: string): Place;
}

export function compilePlaces(allow: AllowDocument): Places {
  const isSuffix = (name: string): boolean => /[./]/.test(name);
  const unwanted = endings(allow.files);
  const documentation = folders(allow.documentation.filter((name) => !isSuffix(name)));
  const documents = endings(allow.documentation.filter(isSuffix));
  const vendored = folders(allow.vendored);
  return {
    wants: (path) => !unwanted(path.toLowerCase()) && !allow.folders.some((folder) => path.startsWith(folder)),
    wantsBinary: (path) => !allow.system.some((folder) => path.startsWith(folder)),
    of(path) {
      const name = path.toLowerCase();
      return { documentation: documentation(name) || documents(name), vendored: vendored(name) };
    },
  };
}

/** Every file is asked about: of the many endings only those are tried that have the same last two characters. */
function endings(all: readonly string[]): (name: string) => boolean {
  const byLast = Map.groupBy(all, (ending) => ending.slice(-2));
  return (name) => byLast.get(name.slice(-2))?.some((ending) => name.endsWith(ending)) ?? false;
}

/** Whether a file is below a folder of one of the names. */
function folders(names: readonly string[]): (name: string) => boolean {
  const single = new Set(names.filter((name) => !name.includes("/")));
  const several = names.filter((name) => name.includes("/")).map((name) => `/${name}/`);
  return (name) => {
    if (several.some((folder) => name.includes(folder))) return true;
    for (let from = 1, to = name.indexOf("/", 1); to >= 0; from = to + 1, to = name.indexOf("/", from)) {
      if (single.has(name.slice(from, to))) return true;
    }
    return false;
  };
}
