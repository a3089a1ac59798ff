import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { kept } from "@bulwark/content/kept";
import type { Loaded } from "./load/load.ts";
import type { RuleDocument } from "./load/yaml.ts";

const require = createRequire(import.meta.url);

/** As `loadRules`; what was read of the same files before is kept, with all that was told of them. */
export function keptRules(documents: readonly RuleDocument[], folder?: string): Loaded {
  const read = (): Loaded => {
    // When it is needed: it takes longer to load than a watch may take to begin.
    const { loadRules } = require("./load/load.ts") as typeof import("./load/load.ts");
    return loadRules(documents);
  };
  return kept("rules", documents, codeOfReading(), read, folder);
}

/** Every module that decides what is read of a file; the versions of the libraries are in the manifest. */
function codeOfReading(): string[] {
  const folders = ["load", "language", "compile", "fields"];
  const modules = folders.flatMap((name) =>
    readdirSync(new URL(name, import.meta.url))
      .toSorted()
      .map((file) => `${name}/${file}`),
  );
  return [...modules, "../package.json"].map((path) => new URL(path, import.meta.url).href);
}
