import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inventoryOf } from "../examine-files.ts";
import { elfOf } from "../formats/elf-of.ts";

test("a program that cargo auditable built tells its crates: uv, as its makers release it", () => {
  // The section of the program in the wheel uv-0.13.9 for x86-64 Linux, as it is.
  const section = readFileSync(join(import.meta.dirname, "fixtures/uv-0.13.9.dep-v0"));
  const { packages, extractors } = inventoryOf({ "usr/bin/uv": elfOf({ ".dep-v0": section }) });
  assert.deepEqual(extractors, [{ extractor: "rust-binary", state: "done", errors: [] }]);
  assert.equal(packages.length, 567);
  // Those that only building needed.
  assert.equal(packages.filter(({ development }) => development).length, 35);
  const adler = packages.find(({ name }) => name === "adler2");
  assert.deepEqual([adler?.version, adler?.purl], ["2.0.1", "pkg:cargo/adler2@2.0.1"]);
});
