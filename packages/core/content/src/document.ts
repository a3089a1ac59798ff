import { createRequire } from "node:module";
import type { Document, LineCounter, ParsedNode } from "yaml";
import type { z } from "zod";
import { ContentError } from "./error.ts";
import type { ContentText } from "./folder.ts";

/** One YAML document that is of its shape. */
export interface ContentDocument<T> {
  readonly value: T;
  /** Where it stands, or a field of it: `aws.yaml:12`. */
  place(path?: readonly PropertyKey[]): string;
}

/** When it is needed: what was made of content is mostly kept, and it is a third of what a scan loads. */
const yaml = (): typeof import("yaml") => require("yaml") as typeof import("yaml");
const require = createRequire(import.meta.url);

/** Reads the documents of texts by a schema. Raises `ContentError` with the place of the first that is wrong. */
export function readDocuments<T>(texts: readonly ContentText[], schema: z.ZodType<T>): ContentDocument<T>[] {
  return texts.flatMap(({ name, text }) => {
    const lines = new (yaml().LineCounter)();
    const documents = yaml().parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
    if (!Array.isArray(documents) || documents.length === 0) throw invalid(`${name}:1`, "nothing is in it");
    return documents.map((document) => {
      const place = (path: readonly PropertyKey[] = []): string => `${name}:${lineOf(document, lines, path)}`;
      const [error] = document.errors;
      if (error) throw invalid(`${name}:${lines.linePos(error.pos[0]).line}`, error.message);
      const parsed = schema.safeParse(document.toJS({ maxAliasCount: 100 }));
      if (parsed.success) return { value: parsed.data, place };
      const [issue] = parsed.error.issues;
      const path = issue?.path ?? [];
      throw invalid(
        place(path),
        `${path.length > 0 ? `${path.join(".")}: ` : ""}${issue?.message ?? "is not of its kind"}`,
      );
    });
  });
}

/** Something that is written in content is wrong. */
export function invalid(place: string, reason: string): ContentError {
  return new ContentError("invalid", `${place}: ${reason}`, { remedy: "correct it there" });
}

/** Where a field stands, or the innermost part of its path that is there. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number {
  const key = path.at(-1);
  const parent = document.getIn(path.slice(0, -1), true);
  const pair = yaml().isMap<ParsedNode>(parent)
    ? parent.items.find((item) => String(item.key) === String(key))
    : undefined;
  const node: unknown = pair?.key ?? document.getIn(path, true);
  if (yaml().isNode(node)) return lines.linePos(node.range?.[0] ?? 0).line;
  return path.length === 0 ? 1 : lineOf(document, lines, path.slice(0, -1));
}
