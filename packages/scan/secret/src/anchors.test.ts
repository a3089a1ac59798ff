import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzing } from "@bulwark/testkit";
import fc from "fast-check";
import { compileAnchors, type Anchor } from "./anchors.ts";

function found(anchors: Anchor[], text: string, from = 0, to = text.length): string[] {
  const list: string[] = [];
  compileAnchors(anchors).scan(Buffer.from(text, "latin1"), from, to, (anchor, start) =>
    Boolean(list.push(`${anchors[anchor]?.text ?? ""}@${start}`)),
  );
  return list.toSorted();
}

/** Every literal at every place. */
function expected(anchors: Anchor[], text: string): string[] {
  const small = text.toLowerCase();
  const places = Array.from(text, (_, at) => at);
  return anchors
    .flatMap(({ text: literal, fold }) =>
      places
        .filter((at) => (fold ? small.startsWith(literal.toLowerCase(), at) : text.startsWith(literal, at)))
        .map((at) => `${literal}@${at}`),
    )
    .toSorted();
}

test("every literal is found at every place, as a plain search finds it", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "A", "b", "_", "[", "{"), minLength: 3, maxLength: 6 });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ text: word, fold: fc.boolean() }), { selector: ({ text }) => text, maxLength: 20 }),
      fc.string({ unit: fc.constantFrom("a", "A", "b", "B", "_", "[", "{", "x"), maxLength: 200 }),
      (anchors, text) => assert.deepEqual(found(anchors, text), expected(anchors, text)),
    ),
    fuzzing(300),
  );
});

test("nothing is found that begins before, or ends behind, the stretch that is looked at", () => {
  const anchors = [{ text: "abc", fold: false }];
  assert.deepEqual(found(anchors, "abcabcabc", 1, 8), ["abc@3"]);
});

test("who has enough stops it", () => {
  const anchors = compileAnchors([{ text: "abc", fold: false }]);
  let calls = 0;
  assert.equal(
    anchors.scan(Buffer.from("abcabc"), 0, 6, () => ++calls < 1),
    false,
  );
  assert.equal(calls, 1);
});
