import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { kubernetesEnvironment } from "@bulwark/cel";
import { errorText } from "@bulwark/model";
import { isMap, isNode, LineCounter, parseAllDocuments, type Document, type ParsedNode } from "yaml";
import { compileCheck, ExpressionError, type Check } from "./compile.ts";
import { checkDocument } from "./document.ts";
import { CheckError } from "./error.ts";

const fileLimit = 1024 * 1024;

/**
 * Reads every check of a folder (`**\/*.yaml`, one or more documents a file). `variables` names what facts they may ask
 * for. Raises `CheckError` with the file and line of the first that is wrong; ids are unique.
 */
export function loadChecks(folder: string, variables: readonly string[]): Check[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new CheckError("unreadable", `${folder}: no such folder`, { remedy: "name a folder of checks in YAML" });
  }
  const files = globSync("**/*.yaml", { cwd: folder }).toSorted();
  return parseChecks(
    files.map((file) => ({ name: join(folder, file), text: readText(join(folder, file)) })),
    variables,
  );
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > fileLimit) throw new Error(`${size} bytes; at most ${fileLimit} are read`);
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CheckError("unreadable", `${file}: ${errorText(error)}`, { cause: error });
  }
}

/** As `loadChecks`, of texts; their names are for messages. */
export function parseChecks(texts: readonly { name: string; text: string }[], variables: readonly string[]): Check[] {
  const environment = kubernetesEnvironment({ variables: Object.fromEntries(variables.map((name) => [name, "dyn"])) });
  const places = new Map<string, string>();
  return texts.flatMap(({ name, text }) => {
    const lines = new LineCounter();
    const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
    if (!Array.isArray(documents) || documents.length === 0) throw invalid(`${name}:1`, "no check in it");
    return documents.map((document) => {
      const { check, place } = readDocument(document, name, lines);
      const before = places.get(check.id);
      if (before !== undefined) throw invalid(place, `a check ${check.id} is at ${before} already`);
      places.set(check.id, place);
      try {
        return compileCheck(check, environment);
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        throw invalid(`${name}:${lineOf(document, lines, error.field)}`, errorText(error));
      }
    });
  });
}

function readDocument(document: Document.Parsed, name: string, lines: LineCounter) {
  const [error] = document.errors;
  if (error) throw invalid(`${name}:${lines.linePos(error.pos[0]).line}`, error.message);
  const parsed = checkDocument.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (parsed.success) return { check: parsed.data, place: `${name}:${lineOf(document, lines, [])}` };
  const [issue] = parsed.error.issues;
  const path = issue?.path ?? [];
  const field = path.length > 0 ? `${path.join(".")}: ` : "";
  throw invalid(`${name}:${lineOf(document, lines, path)}`, `${field}${issue?.message ?? "is no check"}`);
}

/** Where a field stands, or the innermost part of its path that is there. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number {
  const key = path.at(-1);
  const parent = document.getIn(path.slice(0, -1), true);
  const pair = isMap<ParsedNode>(parent) ? parent.items.find((item) => String(item.key) === String(key)) : undefined;
  const node: unknown = pair?.key ?? document.getIn(path, true);
  if (isNode(node)) return lines.linePos(node.range?.[0] ?? 0).line;
  return path.length === 0 ? 1 : lineOf(document, lines, path.slice(0, -1));
}

function invalid(place: string, reason: string): CheckError {
  return new CheckError("invalid", `${place}: ${reason}`, { remedy: "correct the check there" });
}
