import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { kept } from "./index.ts";

test("what is made of texts is made once, and anew when they or the code change, or it is spoiled", () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-kept-"));
  try {
    const code = join(folder, "code.js");
    writeFileSync(code, "1");
    let made = 0;
    const make = (text: string): number =>
      kept("things", [{ name: "a", text }], [new URL(`file://${code}`).href], () => ++made, join(folder, "cache"));
    assert.deepEqual([make("x"), make("x"), make("y"), make("y")], [1, 1, 2, 2]);
    writeFileSync(code, "2");
    assert.deepEqual([make("y"), make("y")], [3, 3]);
    const files = (): string[] => readdirSync(join(folder, "cache")).map((name) => join(folder, "cache", name));
    for (const file of files()) writeFileSync(file, "spoiled");
    assert.deepEqual([make("y"), make("y")], [4, 4]);
    // One bit that the disk lost.
    for (const file of files())
      writeFileSync(
        file,
        readFileSync(file).map((byte, at) => (at === 35 ? byte ^ 1 : byte)),
      );
    assert.deepEqual([make("y"), make("y")], [5, 5]);
    for (let count = 0; count < 9; count++) make(`text ${count}`);
    assert.equal(files().length, 4);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
