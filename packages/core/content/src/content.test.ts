import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { readContent, readDocuments } from "./index.ts";

const schema = z.strictObject({ id: z.string(), deep: z.array(z.strictObject({ number: z.number() })).default([]) });

test("documents are read in their order, each with its place", () => {
  const documents = readDocuments([{ name: "a.yaml", text: "id: one\n---\nid: two\ndeep:\n  - number: 1\n" }], schema);
  assert.deepEqual(
    documents.map(({ value, place }) => [value.id, place(), place(["deep", 0, "number"])]),
    [
      ["one", "a.yaml:1", "a.yaml:1"],
      ["two", "a.yaml:3", "a.yaml:5"],
    ],
  );
});

test("what is wrong is told with file and line", () => {
  const wrong = (text: string): RegExp | string => {
    try {
      readDocuments([{ name: "a.yaml", text }], schema);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  assert.match(String(wrong("id: one\ndeep:\n  - number: many\n")), /^a\.yaml:3: deep\.0\.number: /);
  assert.match(String(wrong("id: one\ncolour: red\n")), /^a\.yaml:1: .*colour/);
  assert.match(String(wrong("id: [one\n")), /^a\.yaml:\d: /);
  assert.match(String(wrong("# nothing\n")), /^a\.yaml:1: /);
  assert.match(String(wrong("- a\n- b\n")), /^a\.yaml:1: /);
  // A hundred aliases of aliases are a bomb, not content.
  const bomb = Array.from(
    { length: 12 },
    (_, index) =>
      `a${index}: &a${index} [${Array(9)
        .fill(`*a${index - 1}`)
        .join(", ")}]`,
  );
  assert.throws(() =>
    readDocuments([{ name: "a.yaml", text: `a: &a-1 x\n${bomb.join("\n")}\n`.replaceAll("a-1", "b") }], schema),
  );
});

test("a folder gives its files in order; one that is not there or too large is said", () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-content-"));
  try {
    mkdirSync(join(folder, "b"));
    writeFileSync(join(folder, "b/a.yaml"), "1");
    writeFileSync(join(folder, "a.yaml"), "2");
    writeFileSync(join(folder, "readme.md"), "3");
    assert.deepEqual(
      readContent(folder).map(({ text }) => text),
      ["2", "1"],
    );
    writeFileSync(join(folder, "c.yaml"), Buffer.alloc(2 * 1024 * 1024, 32));
    assert.throws(() => readContent(folder), /c\.yaml: 2097152 bytes/);
    assert.throws(() => readContent(join(folder, "nowhere")), /nowhere: no such folder/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
