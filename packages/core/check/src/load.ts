import { createRequire } from "node:module";
import { basename } from "node:path";
import { kubernetesEnvironment } from "@bulwark/cel";
import { invalid, kept, readContent, readDocuments, type ContentDocument, type ContentText } from "@bulwark/content";
import { errorText } from "@bulwark/model/plain";
import { compileCheck, ExpressionError, type Check } from "./compile.ts";
import { checkFunctions } from "./functions.ts";
import type { CheckDocument } from "./document.ts";

const require = createRequire(import.meta.url);

/**
 * Reads every check of a folder, one or more documents a file. `variables` names the facts that they may ask for. What was
 * read once is kept. Raises `ContentError` with the file and line of the first that is wrong; ids are unique.
 */
export function loadChecks(folder: string, variables: readonly string[]): Check[] {
  const texts = readContent(folder);
  const code = ["./document.ts", "./load.ts"].map((file) => new URL(file, import.meta.url).href);
  const values = kept(`checks-${basename(folder)}`, texts, code, () => documentsOf(texts).map(({ value }) => value));
  const documents = values.map((value, index) => ({
    value,
    // Only for what is wrong.
    place: (path?: readonly PropertyKey[]) => documentsOf(texts)[index]?.place(path) ?? folder,
  }));
  return compileChecks(documents, variables);
}

/** As `loadChecks`, of texts. */
export function parseChecks(texts: readonly ContentText[], variables: readonly string[]): Check[] {
  return compileChecks(documentsOf(texts), variables);
}

function documentsOf(texts: readonly ContentText[]): ContentDocument<CheckDocument>[] {
  // When it is needed: schemas take longer to load than a scan may.
  const { checkDocument } = require("./document.ts") as typeof import("./document.ts");
  return readDocuments(texts, checkDocument);
}

/** As `parseChecks`, of documents of a kind that says more of each check. */
export function compileChecks<D extends CheckDocument>(
  documents: readonly ContentDocument<D>[],
  variables: readonly string[],
): Check<D>[] {
  const environment = kubernetesEnvironment({
    variables: Object.fromEntries(variables.map((name) => [name, "dyn"])),
    functions: checkFunctions,
  });
  const places = new Map<string, () => string>();
  return documents.map(({ value, place }) => {
    const before = places.get(value.id);
    if (before !== undefined) throw invalid(place(), `a check ${value.id} is at ${before()} already`);
    places.set(value.id, () => place());
    try {
      return compileCheck(value, environment);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw invalid(place(error.field), errorText(error));
    }
  });
}
