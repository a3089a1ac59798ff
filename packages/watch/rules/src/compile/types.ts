import { eventTypes } from "../fields/event-types.ts";
import { always, chain, isOperand, negate, never, type Bound, type BoundTest } from "./bound.ts";
import { constantTest } from "./tests.ts";

/**
 * What is left of a condition when the type of the event is known: tests of `evt.type` are answered, and what they decide
 * with them. `false` where the condition cannot hold of that type.
 */
export function fold(bound: Bound, type: string): Bound {
  switch (bound.kind) {
    case "constant":
      return bound;
    case "not": {
      const part = fold(bound.part, type);
      if (part.kind === "constant") return part.value ? never : always;
      return part === bound.part ? bound : negate(part);
    }
    case "and":
    case "or": {
      const decides = bound.kind === "or";
      const parts: Bound[] = [];
      for (const item of bound.parts) {
        const part = fold(item, type);
        if (part.kind !== "constant") parts.push(part);
        else if (part.value === decides) return part;
      }
      const [only] = parts;
      if (!only) return decides ? never : always;
      return parts.length === 1 ? only : chain(bound.kind, parts);
    }
    case "test": {
      const answer = typeTest(bound, type);
      if (answer === undefined) return bound;
      return answer ? always : never;
    }
  }
}

/**
 * The types of which a condition can hold; undefined where it can hold of a type that nobody has heard of, which is to say
 * of any.
 */
export function typesOf(bound: Bound): readonly string[] | undefined {
  const tests = typeTests(bound).map(answersOf);
  const groups = new Map<string, string[]>();
  for (const [index, type] of anyType.entries()) {
    // Types of which every test says the same are judged together.
    let answers = "";
    for (const test of tests) answers += test[index];
    const group = groups.get(answers);
    if (group) group.push(type);
    else groups.set(answers, [type]);
  }
  const possible: string[] = [];
  for (const [first = "", ...rest] of groups.values()) {
    if (fold(bound, first) === never) continue;
    if (first === "") return undefined;
    possible.push(first, ...rest);
  }
  return Object.freeze(possible.toSorted());
}

/** The empty name: a type that nobody has heard of. */
const anyType = ["", ...eventTypes];
/** Macros put the same test into many rules. */
const known = new WeakMap<BoundTest, string>();

/** `1` and `0` for each of `anyType`. */
function answersOf(test: BoundTest): string {
  let answers = known.get(test);
  if (answers === undefined) {
    answers = anyType.map((type) => (typeTest(test, type) === true ? "1" : "0")).join("");
    known.set(test, answers);
  }
  return answers;
}

/** The answer of a test that the event's type alone decides; undefined for other tests. */
function typeTest(test: BoundTest, type: string): boolean | undefined {
  const { left, operator } = test;
  if (left.kind !== "field" || isOperand(test.right)) return undefined;
  switch (left.field.name) {
    case "evt.type":
    case "syscall.type":
      return operator === "exists" ? true : constantTest(test, type);
    case "evt.type.is":
      return operator === "exists" ? true : constantTest(test, left.argument === type ? 1 : 0);
    case "evt.dir":
      return operator === "exists" ? true : constantTest(test, "<");
    default:
      return undefined;
  }
}

function typeTests(bound: Bound, found: BoundTest[] = []): BoundTest[] {
  if (bound.kind === "test" && typeTest(bound, "") !== undefined) found.push(bound);
  if (bound.kind === "not") typeTests(bound.part, found);
  if (bound.kind === "and" || bound.kind === "or") for (const part of bound.parts) typeTests(part, found);
  return found;
}
