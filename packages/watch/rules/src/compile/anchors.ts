import { isOperand, type Bound, type BoundField, type BoundOperand, type BoundTest } from "./bound.ts";

/** A text that the value of a field has to be, to begin or end with, or to hold. */
export interface Anchor {
  readonly field: BoundOperand;
  readonly kind: "equal" | "starts" | "ends" | "holds";
  readonly text: string;
}

/**
 * Texts of which at least one is found in an event where a condition holds; undefined where it may hold without any.
 * `isAsked` says whose fields may be looked at for that.
 */
export function anchorsOf(bound: Bound, isAsked: (field: BoundField) => boolean): readonly Anchor[] | undefined {
  switch (bound.kind) {
    case "constant":
    case "not":
      return undefined;
    case "or": {
      const all = bound.parts.map((part) => anchorsOf(part, isAsked));
      return all.every((anchors) => anchors !== undefined) ? all.flat() : undefined;
    }
    case "and": {
      const all = bound.parts.map((part) => anchorsOf(part, isAsked)).filter((anchors) => anchors !== undefined);
      return all.toSorted((a, b) => rarity(b) - rarity(a))[0];
    }
    case "test":
      return anchorsOfTest(bound, isAsked);
  }
}

/** A guess: the longer the rarer, and beginnings of paths are common. Of several the commonest counts. */
function rarity(anchors: readonly Omit<Anchor, "field">[]): number {
  const more = { equal: 4, ends: 2, holds: 2, starts: 0 };
  return Math.min(...anchors.map(({ kind, text }) => text.length + more[kind]));
}

/** They have a few values, each of them common. */
const common = new Set(["fd.type", "fd.typechar", "fd.l4proto", "evt.arg", "evt.category"]);

function anchorsOfTest(
  { left, operator, right, modifier }: BoundTest,
  isAsked: (field: BoundField) => boolean,
): readonly Anchor[] | undefined {
  if (left.kind !== "field" || left.type !== "text" || left.isList || left.isAny) return undefined;
  if (isOperand(right) || (modifier !== undefined && modifier !== "anyof")) return undefined;
  if (operator === "exists" || common.has(left.field.name) || !isAsked(left)) return undefined;
  const anchors: Anchor[] = [];
  for (const text of right as readonly string[]) {
    const found = anchorOfText(operator, text);
    // An empty text is in every other.
    if (found === undefined || (found.kind !== "equal" && found.text === "")) return undefined;
    anchors.push({ field: left, ...found });
  }
  return anchors;
}

function anchorOfText(operator: BoundTest["operator"], text: string): Omit<Anchor, "field"> | undefined {
  switch (operator) {
    case "=":
    case "in":
    case "intersects":
      return { kind: "equal", text };
    case "startswith":
      return { kind: "starts", text };
    case "endswith":
      return { kind: "ends", text };
    case "contains":
      return { kind: "holds", text };
    case "glob":
      return anchorOfGlob(text);
    case "regex":
      return { kind: "starts", text: literalStart(text) };
    default:
      return undefined;
  }
}

/** The rarest of the parts between the stars. */
function anchorOfGlob(glob: string): Omit<Anchor, "field"> | undefined {
  if (/[?[\\]/.test(glob)) return undefined;
  const parts = glob.split("*");
  if (parts.length === 1) return { kind: "equal", text: glob };
  const anchors = parts.map((text, at): Omit<Anchor, "field"> => {
    return { kind: at === 0 ? "starts" : at === parts.length - 1 ? "ends" : "holds", text };
  });
  return anchors.filter(({ text }) => text !== "").toSorted((a, b) => rarity([b]) - rarity([a]))[0];
}

/** What every text begins with that fits a regular expression as a whole. */
function literalStart(expression: string): string {
  if (expression.includes("|")) return "";
  const start = /^[\w/-]*/.exec(expression)?.[0] ?? "";
  // The last character may be there any number of times, or none.
  return /[*?+{]/.test(expression[start.length] ?? "") ? start.slice(0, -1) : start;
}
