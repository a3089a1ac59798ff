import { kubernetesEnvironment } from "@bulwark/cel";
import { invalid, readContent, readDocuments, type ContentText } from "@bulwark/content";
import { errorText } from "@bulwark/model";
import { compileCheck, ExpressionError, type Check } from "./compile.ts";
import { checkDocument } from "./document.ts";

/**
 * Reads every check of a folder, one or more documents a file. `variables` names the facts that they may ask for.
 * Raises `ContentError` with the file and line of the first that is wrong; ids are unique.
 */
export function loadChecks(folder: string, variables: readonly string[]): Check[] {
  return parseChecks(readContent(folder), variables);
}

/** As `loadChecks`, of texts. */
export function parseChecks(texts: readonly ContentText[], variables: readonly string[]): Check[] {
  const environment = kubernetesEnvironment({ variables: Object.fromEntries(variables.map((name) => [name, "dyn"])) });
  const places = new Map<string, string>();
  return readDocuments(texts, checkDocument).map(({ value, place }) => {
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
