import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "@bulwark/model";
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type ParsedNode } from "yaml";
import { documents, type Part } from "./documents.ts";
import { isRecord } from "./fields.ts";

/** Where an object stands. */
export interface Place {
  /** As the caller named it; `stdin` for `-`. */
  readonly file: string;
  /** 1 is the first; of JSON always 1. */
  readonly line: number;
  /** Which document of the file, from 0, and the way to the object inside it: `["items", 2]` in a list. */
  readonly document: number;
  readonly path: readonly (string | number)[];
}

export interface Manifest {
  /** As it was written. */
  readonly object: Readonly<Record<string, unknown>> & { readonly kind: string };
  readonly place: Place;
}

/** What could not be read. */
export interface Problem {
  readonly file: string;
  /** 0 where it is the file as a whole. */
  readonly line: number;
  readonly reason: string;
  readonly remedy: string;
}

export interface Manifests {
  readonly objects: readonly Manifest[];
  readonly problems: readonly Problem[];
  /** Documents that are no Kubernetes objects, such as the values of a chart. Not a fault where a folder was named. */
  readonly others: readonly Problem[];
}

const fileLimit = 64 * 2 ** 20;
const aliasLimit = 100;

/** Reads files, the YAML and JSON files of folders, and standard input (`-`). Never raises for what is in them. */
export function readFiles(names: readonly string[]): Manifests {
  return together(names.flatMap(filesOf).map((file) => ("reason" in file ? failed(file) : readText(file))));
}

/** As {@link readFiles}, of texts; their names are for messages. */
export function readTexts(texts: readonly { name: string; text: string }[]): Manifests {
  return together(texts.map(readText));
}

export function placeText({ file, line }: Pick<Place, "file" | "line">): string {
  return line === 0 ? file : `${file}:${line}`;
}

interface Text {
  name: string;
  text: string;
}

function filesOf(name: string): (Text | Problem)[] {
  if (name === "-") return [{ name: "stdin", text: readFileSync(0, "utf8") }];
  if (!statSync(name, { throwIfNoEntry: false })?.isDirectory()) return [fileAt(name)];
  const files = globSync("**/*.{yaml,yml,json}", { cwd: name }).toSorted();
  if (files.length === 0) return [problem(name, 0, "has no YAML or JSON file", "name the folder of the objects")];
  return files.map((file) => fileAt(join(name, file)));
}

function fileAt(name: string): Text | Problem {
  try {
    const { size } = statSync(name);
    if (size > fileLimit) return problem(name, 0, `is ${size} bytes long; at most ${fileLimit} are read`, "split it");
    return { name, text: readFileSync(name, "utf8") };
  } catch (error) {
    return problem(name, 0, errorText(error), "name a file or a folder of Kubernetes objects that can be read");
  }
}

function problem(file: string, line: number, reason: string, remedy: string): Problem {
  return { file, line, reason, remedy };
}

function failed(found: Problem): Manifests {
  return { objects: [], problems: [found], others: [] };
}

function together(parts: readonly Manifests[]): Manifests {
  return {
    objects: parts.flatMap(({ objects }) => objects),
    problems: parts.flatMap(({ problems }) => problems),
    others: parts.flatMap(({ others }) => others),
  };
}

function readText({ name, text }: Text): Manifests {
  if (/^\s*[[{]/.test(text)) {
    const value = parseJson(text);
    if (value !== undefined) return together(asList(value).map((item) => fromJson(item, name)));
  }
  return together(documents(text).map((part) => readDocument(name, part)));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // YAML in flow style, or broken: the YAML reader says where.
    return undefined;
  }
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

function fromJson(value: unknown, file: string, path: readonly (string | number)[] = []): Manifests {
  if (isRecord(value) && isListKind(value["kind"]) && Array.isArray(value["items"])) {
    const inside = value["items"] as unknown[];
    return together(inside.map((item, index) => fromJson(inherit(item, value), file, [...path, "items", index])));
  }
  return sorted(value, { file, line: 1, document: 0, path });
}

function readDocument(file: string, { text, index, offset }: Part): Manifests {
  const lines = new LineCounter();
  const lineAt = (position: number): number => lines.linePos(position).line + offset;
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
    const [error] = document.errors;
    if (error) return failed(broken(file, lineAt(error.pos[0]), error.message, text));
    const { contents } = document;
    if (contents === null || (isScalar(contents) && contents.value === null)) return together([]);
    return fromNode(document, contents, { file, document: index, path: [], text, lineAt });
  } catch (error) {
    // Nesting beyond the stack, aliases beyond the limit.
    return failed(broken(file, offset + 1, errorText(error), text));
  }
}

interface Context {
  file: string;
  document: number;
  path: readonly (string | number)[];
  text: string;
  lineAt(position: number): number;
}

function fromNode(document: Document, node: ParsedNode | Node, context: Context, parent?: unknown): Manifests {
  const { file, path, text, lineAt } = context;
  const line = lineAt(node.range?.[0] ?? 0);
  if (isMap(node) && isListKind(node.get("kind"))) {
    const list: unknown = node.get("items", true);
    if (isSeq(list)) {
      const outer = { kind: node.get("kind"), apiVersion: node.get("apiVersion") };
      const parts = list.items.map((item, index) => {
        const inside = { ...context, path: [...path, "items", index] };
        return fromNode(document, item as Node, inside, outer);
      });
      return together(parts);
    }
  }
  const strange = keyThatIsNoText(node);
  if (strange) return failed(broken(file, lineAt(strange.range?.[0] ?? 0), "a key is no text", text));
  let value: unknown;
  try {
    value = node.toJS(document, { maxAliasCount: aliasLimit });
  } catch (error) {
    return failed(broken(file, line, errorText(error), text));
  }
  return sorted(inherit(value, parent), { file, line, document: context.document, path });
}

/** `{{ .Values.name }}` is a map whose key is a map. */
function keyThatIsNoText(node: Node): Node | undefined {
  if (isSeq(node)) return node.items.map((item) => keyThatIsNoText(item as Node)).find((found) => found !== undefined);
  if (!isMap(node)) return undefined;
  for (const { key, value } of node.items) {
    if (!isScalar(key)) return key as Node;
    const found = value === null ? undefined : keyThatIsNoText(value as Node);
    if (found) return found;
  }
  return undefined;
}

function broken(file: string, line: number, reason: string, text: string): Problem {
  const remedy = /\{\{-?[\s\w."$(]/.test(text)
    ? "it is a template: render it first (helm template)"
    : /^\t+/m.test(text)
      ? "YAML is indented with spaces, not with tabs"
      : "mend the YAML";
  return problem(file, line, reason.replaceAll(/\s*\n\s*/g, " ").slice(0, 300), remedy);
}

function isListKind(kind: unknown): boolean {
  return typeof kind === "string" && kind.endsWith("List");
}

/** Items of `kubectl get -o json` in a `PodList` have no kind of their own. */
function inherit(item: unknown, list: unknown): unknown {
  if (!isRecord(item) || !isRecord(list) || item["kind"] !== undefined) return item;
  const kind = String(list["kind"]).slice(0, -"List".length);
  return kind === "" ? item : { apiVersion: list["apiVersion"], kind, ...item };
}

function sorted(value: unknown, place: Place): Manifests {
  if (isObject(value)) return { objects: [{ object: value, place }], problems: [], others: [] };
  const reason = "is no Kubernetes object: it has no kind";
  const other = problem(place.file, place.line, reason, "give YAML or JSON as kubectl prints it");
  return { objects: [], problems: [], others: [other] };
}

function isObject(value: unknown): value is Manifest["object"] {
  return isRecord(value) && typeof value["kind"] === "string";
}
