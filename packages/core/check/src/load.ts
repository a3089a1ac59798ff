import { kubernetesEnvironment } from "@bulwark/cel";
import { invalid, readContent, readDocuments, type ContentDocument, type ContentText } from "@bulwark/content";
import { errorText } from "@bulwark/model";
import { compileCheck, ExpressionError, type Check } from "./compile.ts";
import { checkFunctions } from "./functions.ts";
import { checkDocument, type CheckDocument } from "./document.ts";

/**
 * Reads every check of a folder, one or more documents a file. `variables` names the facts that they may ask for.
 * Raises `ContentError` with the file and line of the first that is wrong; ids are unique.
 */
export function loadChecks(folder: string, variables: readonly string[]): Check[] {
  return parseChecks(readContent(folder), variables);
}

/** As `loadChecks`, of texts. */
export function parseChecks(texts: readonly ContentText[], variables: readonly string[]): Check[] {
  return compileChecks(readDocuments(texts, checkDocument), variables);
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
  const places = new Map<string, string>();
  return documents.map(({ value, place }) => {
    const before = places.get(value.id);
    if (before !== undefined) throw invalid(place(), `a check ${value.id} is at ${before} already`);
    places.set(value.id, place());
    try {
      return compileCheck(value, environment);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw invalid(place(error.field), errorText(error));
    }
  });
}
