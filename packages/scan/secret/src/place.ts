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
  const documentation = allow.documentation.filter((name) => !isSuffix(name)).map((name) => `/${name}/`);
  const suffixes = allow.documentation.filter(isSuffix);
  const vendored = allow.vendored.map((name) => `/${name}/`);
  return {
    wants(path) {
      const name = path.toLowerCase();
      return (
        !allow.files.some((file) => name.endsWith(file)) && !allow.folders.some((folder) => path.startsWith(folder))
      );
    },
    wantsBinary: (path) => !allow.system.some((folder) => path.startsWith(folder)),
    of(path) {
      const name = path.toLowerCase();
      return {
        documentation:
          documentation.some((folder) => name.includes(folder)) || suffixes.some((suffix) => name.endsWith(suffix)),
        vendored: vendored.some((folder) => name.includes(folder)),
      };
    },
  };
}
