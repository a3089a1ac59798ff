import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createEngine } from "./engine.ts";
import { loadRules } from "./load/load.ts";

/** A condition as text, and what it says of the values of fields: written down once more, without any cleverness. */
interface Said {
  readonly text: string;
  holds(values: Values): boolean;
}
type Values = Readonly<Record<string, string | undefined>>;

const fields = ["fd.name", "fd.filename", "fd.typechar", "proc.name", "proc.pname"];
const word = fc.string({ unit: fc.constantFrom("a", "b", "/", "."), minLength: 1, maxLength: 4 });
const quoted = (text: string): string => JSON.stringify(text);
const like = (source: string): RegExp => new RegExp(`^(?:${source})$`, "s");

const comparisons: Record<string, (value: string, text: string) => boolean> = {
  "=": (value, text) => value === text,
  "!=": (value, text) => value !== text,
  startswith: (value, text) => value.startsWith(text),
  endswith: (value, text) => value.endsWith(text),
  contains: (value, text) => value.includes(text),
};
const field = fc.constantFrom(...fields);

const one = fc.tuple(field, fc.constantFrom(...Object.keys(comparisons)), word).map(([name, operator, text]): Said => ({
  text: `${name} ${operator} ${quoted(text)}`,
  holds: ({ [name]: value }) => value !== undefined && comparisons[operator]?.(value, text) === true,
}));
const several = fc
  .tuple(
    field,
    fc.constantFrom("=", "startswith", "endswith", "contains"),
    fc.array(word, { minLength: 1, maxLength: 3 }),
  )
  .map(([name, operator, texts]): Said => ({
    text: `${name} ${operator} anyof (${texts.map(quoted).join(", ")})`,
    holds: ({ [name]: value }) =>
      value !== undefined && texts.some((text) => comparisons[operator]?.(value, text) === true),
  }));
const list = fc.tuple(field, fc.array(word, { minLength: 1, maxLength: 3 })).map(([name, texts]): Said => ({
  text: `${name} in (${texts.map(quoted).join(", ")})`,
  holds: ({ [name]: value }) => value !== undefined && texts.includes(value),
}));
const glob = fc
  .tuple(field, fc.array(fc.constantFrom("a", "b", "/", "*", "?", "[ab]"), { minLength: 1, maxLength: 6 }))
  .map(([name, parts]): Said => {
    const fits = like(parts.map((part) => (part === "*" ? ".*" : part === "?" ? "." : part)).join(""));
    return {
      text: `${name} glob ${quoted(parts.join(""))}`,
      holds: ({ [name]: value }) => value !== undefined && fits.test(value),
    };
  });
const regex = fc
  .tuple(
    field,
    fc.array(fc.constantFrom("a", "b", "/", "a*", "b?", ".+", "(a|b)", "a{2}"), { minLength: 1, maxLength: 4 }),
  )
  .map(([name, parts]): Said => {
    const fits = like(parts.join(""));
    return {
      text: `${name} regex ${quoted(parts.join(""))}`,
      holds: ({ [name]: value }) => value !== undefined && fits.test(value),
    };
  });
const exists = field.map((name): Said => ({
  text: `${name} exists`,
  holds: ({ [name]: value }) => value !== undefined,
}));
const { condition } = fc.letrec<{ condition: Said }>((tie) => ({
  condition: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(one, several, list, exists, glob, regex),
    tie("condition").map((part) => ({ text: `not (${part.text})`, holds: (values: Values) => !part.holds(values) })),
    fc.array(tie("condition"), { minLength: 2, maxLength: 3 }).map((parts) => ({
      text: `(${parts.map(({ text }) => text).join(" and ")})`,
      holds: (values: Values) => parts.every((part) => part.holds(values)),
    })),
    fc.array(tie("condition"), { minLength: 2, maxLength: 3 }).map((parts) => ({
      text: `(${parts.map(({ text }) => text).join(" or ")})`,
      holds: (values: Values) => parts.some((part) => part.holds(values)),
    })),
  ),
}));
const values = fc.record(
  Object.fromEntries(fields.map((name) => [name, fc.option(word, { nil: undefined })])),
) as fc.Arbitrary<Values>;

test("whatever rules ask of texts, those fire that hold and no others, in their order, however they are looked for", () => {
  const types = fc.constantFrom("openat", "execve");
  fc.assert(
    fc.property(
      fc.array(condition, { minLength: 1, maxLength: 6 }),
      fc.array(values, { minLength: 1, maxLength: 8 }),
      types,
      (said, all, type) => {
        const rules = said.map(({ text }, index) => ({
          ...{ rule: `r${index}`, desc: "d", output: "o", priority: "INFO" },
          condition: `evt.type in (openat, execve) and ${text}`,
        }));
        const { ruleset, errors } = loadRules([{ name: "random.yaml", text: JSON.stringify(rules) }]);
        assert.deepEqual(errors, []);
        const engine = createEngine(ruleset);
        for (const told of all) {
          const event = { source: "syscall", type, process: {}, get: (name: string) => told[name] };
          const expected = said.flatMap(({ holds }, index) => (holds(told) ? [`r${index}`] : []));
          // Twice: the second time it is known of the process.
          for (const _ of [1, 2])
            assert.deepEqual(
              engine.match(event).map(({ rule }) => rule.name),
              expected,
            );
        }
      },
    ),
    { numRuns: 300 },
  );
});
