import { createRequire } from "node:module";
import { contentFolder, invalid, kept, readContent, readDocuments, type ContentText } from "@bulwark/content";
import { errorText } from "@bulwark/model/plain";
import { RE2JS } from "re2js";
import { compileAnchors, type Anchors } from "./anchors.ts";
import type { AllowDocument, KindDocument } from "./document.ts";
import { compilePlaces, type Places } from "./place.ts";

const require = createRequire(import.meta.url);

/** A kind that is ready to be looked for. */
export interface Kind extends KindDocument {
  readonly provider: string;
  readonly remedy: string;
  /** Compiled when it is first asked for: of hundreds of kinds, most files need none. */
  expression(): RE2JS;
  allowed(): readonly RE2JS[];
}

export interface Kinds {
  readonly list: readonly Kind[];
  readonly byId: ReadonlyMap<string, Kind>;
  readonly search: Search;
  /** Of those kinds alone that are looked for everywhere, in executables and third-party code too. */
  readonly certain: Search;
  readonly places: Places;
  readonly examples: readonly string[];
  patterns(): readonly RE2JS[];
}

/** What finds the places where a kind may be. */
interface Search {
  readonly anchors: Anchors;
  /** By anchor: its bytes, and the kinds that it is of. */
  readonly candidates: readonly { readonly literal: Buffer; readonly kinds: readonly Kind[] }[];
}

/** The kinds that come with Bulwark. Raises `ContentError` with file and line. */
export function loadKinds(folder = contentFolder("secrets")): Kinds {
  const texts = readContent(folder);
  const code = ["./document.ts", "./kinds.ts"].map((file) => new URL(file, import.meta.url).href);
  return compileKinds(kept("secrets", texts, code, () => readKinds(texts)));
}

/** As `loadKinds`, of texts; the one called `allow.yaml` says what is none. Whatever is wrong in them is told here. */
export function parseKinds(texts: readonly ContentText[]): Kinds {
  const kinds = compileKinds(readKinds(texts));
  for (const { expression, allowed } of kinds.list) [expression(), allowed()].flat();
  kinds.patterns();
  return kinds;
}

/** The documents of all texts: plain data, which can be kept. */
interface KindDocuments {
  allow: AllowDocument;
  allowPlace: string;
  /** Each with the place of its expression and of what it allows. */
  kinds: (KindDocument & { provider: string; remedy: string; places: { expression: string; allow: string } })[];
}

function readKinds(texts: readonly ContentText[]): KindDocuments {
  // When they are needed: what is made of content is kept, and every thread of a scan would wait for schemas.
  const { allowDocument, kindsDocument } = require("./document.ts") as typeof import("./document.ts");
  const isAllow = ({ name }: ContentText): boolean => /(^|\/)allow\.yaml$/.test(name);
  const [allow] = readDocuments(texts.filter(isAllow), allowDocument);
  if (!allow) throw invalid("allow.yaml", "is not there; it says what is no credential");
  const places = new Map<string, string>();
  const documents = readDocuments(
    texts.filter((text) => !isAllow(text)),
    kindsDocument,
  );
  const kinds = documents.flatMap(({ value, place }) =>
    value.kinds.map((document, index) => {
      const at = (...path: PropertyKey[]): string => place(["kinds", index, ...path]);
      const before = places.get(document.id);
      if (before !== undefined) throw invalid(at("id"), `a kind ${document.id} is at ${before} already`);
      places.set(document.id, at("id"));
      return {
        ...document,
        provider: value.provider,
        remedy: document.remedy ?? value.remedy,
        places: { expression: at(document.pattern === undefined ? "assigned" : "pattern"), allow: at("allow") },
      };
    }),
  );
  return { allow: allow.value, allowPlace: allow.place(["patterns"]), kinds };
}

function compileKinds({ allow, allowPlace, kinds }: KindDocuments): Kinds {
  const list = kinds.map(compileKind);
  return {
    list,
    byId: new Map(list.map((kind) => [kind.id, kind])),
    search: searchFor(list),
    certain: searchFor(list.filter(({ strength }) => strength === "certain")),
    places: compilePlaces(allow),
    examples: allow.examples.map((example) => example.toLowerCase()),
    patterns: once(() => allow.patterns.map((text) => compileExpression(text, allowPlace))),
  };
}

function searchFor(kinds: readonly Kind[]): Search {
  const byAnchor = new Map<string, Kind[]>();
  for (const kind of kinds)
    for (const anchor of kind.anchors) byAnchor.set(anchor, [...(byAnchor.get(anchor) ?? []), kind]);
  return {
    anchors: compileAnchors([...byAnchor].map(([text, of]) => ({ text, fold: of.some(({ fold }) => fold) }))),
    candidates: [...byAnchor].map(([anchor, of]) => ({ literal: Buffer.from(anchor, "latin1"), kinds: of })),
  };
}

function compileKind({ places, ...document }: KindDocuments["kinds"][number]): Kind {
  const { pattern, assigned = "" } = document;
  return {
    ...document,
    // What precedes in a name is part of it: DD_API_KEY, my-datadog-key.
    boundary: document.boundary && pattern !== undefined,
    expression: once(() => compileExpression(pattern ?? assignment(assigned), places.expression)),
    allowed: once(() => document.allow.map((one) => compileExpression(one, places.allow))),
  };
}

/**
 * From the anchor in a name on: the rest of the name, a sign of assignment of any language or format, and the value,
 * in quotes or up to white space.
 */
function assignment(value: string): string {
  const rest = String.raw`[\w.\- ]{1,48}?`;
  const sign = String.raw`\\?["'\x60]?\]?[ \t]{0,4}(?::=|=>|->|=|:|,|>)[ \t]{0,4}`;
  return String.raw`${rest}${sign}(?:\\?["'\x60]|)(${value})(?:\\?["'\x60<;,)\]}&\s]|\\[nr]|$)`;
}

function compileExpression(text: string, place: string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (error) {
    throw invalid(place, errorText(error));
  }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
