import { contentFolder, invalid, readContent, readDocuments, type ContentText } from "@bulwark/content";
import { errorText } from "@bulwark/model";
import { RE2JS } from "re2js";
import { compileAnchors, type Anchors } from "./anchors.ts";
import { allowDocument, kindsDocument, type KindDocument } from "./document.ts";
import { compilePlaces, type Places } from "./place.ts";

/** A kind that is ready to be looked for. */
export interface Kind extends KindDocument {
  readonly provider: string;
  readonly remedy: string;
  readonly expression: RE2JS;
  readonly allowed: readonly RE2JS[];
}

export interface Kinds {
  readonly list: readonly Kind[];
  readonly byId: ReadonlyMap<string, Kind>;
  readonly anchors: Anchors;
  /** By anchor: its bytes, and the kinds that it is of. */
  readonly candidates: readonly { readonly literal: Buffer; readonly kinds: readonly Kind[] }[];
  readonly places: Places;
  readonly examples: readonly string[];
  readonly patterns: readonly RE2JS[];
}

/** The kinds that come with Bulwark. Raises `ContentError` with file and line. */
export function loadKinds(folder = contentFolder("secrets")): Kinds {
  return parseKinds(readContent(folder));
}

/** As `loadKinds`, of texts; the one called `allow.yaml` says what is none. */
export function parseKinds(texts: readonly ContentText[]): Kinds {
  const isAllow = ({ name }: ContentText): boolean => /(^|\/)allow\.yaml$/.test(name);
  const [allow] = readDocuments(texts.filter(isAllow), allowDocument);
  if (!allow) throw invalid("allow.yaml", "is not there; it says what is no credential");
  const places = new Map<string, string>();
  const documents = readDocuments(
    texts.filter((text) => !isAllow(text)),
    kindsDocument,
  );
  const list = documents.flatMap(({ value, place }) =>
    value.kinds.map((document, index) => {
      const at = (...path: PropertyKey[]): string => place(["kinds", index, ...path]);
      const before = places.get(document.id);
      if (before !== undefined) throw invalid(at("id"), `a kind ${document.id} is at ${before} already`);
      places.set(document.id, at("id"));
      return compileKind(document, value, at);
    }),
  );
  const byAnchor = new Map<string, Kind[]>();
  for (const kind of list)
    for (const anchor of kind.anchors) byAnchor.set(anchor, [...(byAnchor.get(anchor) ?? []), kind]);
  return {
    list,
    byId: new Map(list.map((kind) => [kind.id, kind])),
    anchors: compileAnchors([...byAnchor.keys()]),
    candidates: [...byAnchor].map(([anchor, kinds]) => ({ literal: Buffer.from(anchor, "latin1"), kinds })),
    places: compilePlaces(allow.value),
    examples: allow.value.examples.map((example) => example.toLowerCase()),
    patterns: allow.value.patterns.map((text, index) =>
      compileExpression(text, () => allow.place(["patterns", index])),
    ),
  };
}

function compileKind(
  document: KindDocument,
  file: { provider: string; remedy: string },
  place: (...path: PropertyKey[]) => string,
): Kind {
  const { pattern, assigned = "" } = document;
  const text = pattern ?? assignment(assigned);
  return {
    ...document,
    // What precedes in a name is part of it: DD_API_KEY, my-datadog-key.
    boundary: document.boundary && pattern !== undefined,
    provider: file.provider,
    remedy: document.remedy ?? file.remedy,
    expression: compileExpression(text, () => place(pattern === undefined ? "assigned" : "pattern")),
    allowed: document.allow.map((one, index) => compileExpression(one, () => place("allow", index))),
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

function compileExpression(text: string, place: () => string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (error) {
    throw invalid(place(), errorText(error));
  }
}
