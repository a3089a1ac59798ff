import fc from "fast-check";

/**
 * How a property over hostile input is run: for `npm test` the same inputs each time, so that no build fails by chance.
 * `FUZZ_SEED=7 FUZZ_FACTOR=100` tries others, and more of them. What fast-check says of a failure has the seed in it.
 */
export function fuzzing(numRuns: number): { seed: number; numRuns: number } {
  const { FUZZ_SEED: seed, FUZZ_FACTOR: factor } = process.env;
  return { seed: Number(seed ?? 1), numRuns: Math.ceil(numRuns * Number(factor ?? 1)) };
}

/** What parsers stumble over: ends, brackets, ways out, numbers at their bounds, texts that are long or deep or no text. */
const stumbles = [
  ...["\0", "\n", "\r\n", "\t", " ", '"', "'", "\\", "{", "}", "[", "]", "<", ">", "(", ")", ":", ",", "=", "#", "@"],
  ...[
    "/",
    "//",
    "..",
    "../../",
    "%",
    "%00",
    "${a}",
    "*",
    "&a",
    "!!js",
    "|",
    "__proto__",
    "constructor",
    "null",
    "true",
  ],
  ...["0", "-1", "1e999", "NaN", "9".repeat(400), "4294967295", "9007199254740993", "0x7fffffff"],
  ...["\u202E", "\uFEFF", "\u2028", "\\ud800", "ü", "a".repeat(5000), "[".repeat(2000), '{"a":'.repeat(500)],
].map((text) => Buffer.from(text));
const numbers = ["00000000", "ffffffff", "7fffffff", "80000000", "0000ffff", "ffff", "0001", "ffffffffffffffff"].map(
  (hex) => Buffer.from(hex, "hex"),
);

/** Places are parts of the whole, so that an edit fits whatever the ones before have left. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const edit = fc.oneof(
  fc.record({ kind: fc.constant("set"), at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) }),
  fc.record({ kind: fc.constant("set"), at: place, bytes: fc.constantFrom(...numbers) }),
  fc.record({ kind: fc.constant("insert"), at: place, bytes: fc.constantFrom(...stumbles) }),
  fc.record({ kind: fc.constant("drop"), at: place, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant("repeat"), at: place, length: fc.integer({ min: 1, max: 512 }) }),
  fc.record({ kind: fc.constant("cut"), at: place }),
);
type Edit = { kind: string; at: number; bytes?: Uint8Array; length?: number };

/** Something real with some damage done to it: bytes changed, put in, taken out, repeated, cut off. */
export function damaged(whole: Buffer): fc.Arbitrary<Buffer> {
  return fc
    .array(edit, { minLength: 1, maxLength: 6, size: "max" })
    .map((edits: Edit[]) => edits.reduce(damage, Buffer.from(whole)));
}

function damage(data: Buffer, { kind, at: part, bytes = Buffer.of(), length = 0 }: Edit): Buffer {
  const at = Math.floor(part * data.length);
  if (kind === "cut") return data.subarray(0, at);
  if (kind === "set") return Buffer.concat([data.subarray(0, at), bytes, data.subarray(at + bytes.length)]);
  if (kind === "insert") return Buffer.concat([data.subarray(0, at), bytes, data.subarray(at)]);
  if (kind === "drop") return Buffer.concat([data.subarray(0, at), data.subarray(at + length)]);
  return Buffer.concat([data.subarray(0, at + length), data.subarray(at)]);
}
