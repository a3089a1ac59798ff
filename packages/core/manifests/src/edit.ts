import { isSeq, parseDocument, type Document } from "yaml";
import { documents, type Part } from "./documents.ts";
import type { Place } from "./read.ts";

/** Sets a value, or takes one away, below an object: `["spec", "containers", 0, "image"]`. */
export type Edit = { readonly path: readonly (string | number)[] } & (
  | { readonly set: unknown }
  | { readonly remove: true }
);

/**
 * The text with objects changed. Comments stay, and documents that are not changed stay as they are to the byte; one that is
 * changed keeps its order and its indentation, as far as the YAML library can write it (lists that are not moved in only at
 * two spaces a level). Raises for a place that there is not.
 */
export function editText(
  text: string,
  changes: readonly { place: Pick<Place, "document" | "path">; edits: readonly Edit[] }[],
): string {
  if (/^\s*[[{]/.test(text) && isJson(text)) return editJson(text, changes);
  const lines = text.split("\n");
  const byDocument = Map.groupBy(changes, ({ place }) => place.document);
  for (const part of documents(text).toReversed()) {
    const mine = byDocument.get(part.index);
    if (!mine) continue;
    const changed = editDocument(part, mine).split("\n");
    if (part.marked) changed[0] = `---${changed[0] ?? ""}`;
    lines.splice(part.offset, part.lines, ...changed);
  }
  return lines.join("\n");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function editJson(text: string, changes: Parameters<typeof editText>[1]): string {
  const document = parseDocument(text);
  for (const { place, edits } of changes) apply(document, place.path, edits);
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? (text.includes("\n") ? "  " : "");
  return JSON.stringify(document.toJS(), null, indent) + (text.endsWith("\n") ? "\n" : "");
}

function editDocument({ text, marked }: Part, changes: Parameters<typeof editText>[1]): string {
  const document = parseDocument(text);
  for (const { place, edits } of changes) apply(document, place.path, edits);
  const written = document.toString({
    lineWidth: 0,
    flowCollectionPadding: !/[[{]\S/.test(text) || /\{ /.test(text),
    ...layoutOf(text),
  });
  // What opens the document stays on the line of its mark; what ends it, as it ended.
  const opened = marked && !text.startsWith("\n") ? written : marked ? `\n${written}` : written;
  const ending = /\n*$/.exec(text)?.[0] ?? "";
  return opened.replace(/\n*$/, "") + ending;
}

function apply(document: Document, path: Place["path"], edits: readonly Edit[]): void {
  for (const edit of edits) {
    const at = [...path, ...edit.path];
    if ("remove" in edit) document.deleteIn(at);
    else {
      const parent: unknown = document.getIn(at.slice(0, -1), true);
      const last = at.at(-1);
      if (isSeq(parent) && typeof last === "number" && last >= parent.items.length)
        parent.add(document.createNode(edit.set));
      else document.setIn(at, document.createNode(edit.set));
    }
  }
}

/** How far a level is moved in, and whether a list is moved in below its key. */
function layoutOf(text: string): { indent?: number; indentSeq?: boolean } {
  const list = /^( *)[^\s#-][^\n]*:[ \t]*\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)- /m.exec(text);
  const map = /^( *)[^\s#-][^\n]*:[ \t]*\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)[^\s#-]/m.exec(text);
  const step = map ? (map[2] ?? "").length - (map[1] ?? "").length : 0;
  return {
    ...(step > 0 && { indent: step }),
    ...(list && { indentSeq: (list[2] ?? "").length > (list[1] ?? "").length }),
  };
}
