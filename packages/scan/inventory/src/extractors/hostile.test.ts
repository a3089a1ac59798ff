import assert from "node:assert/strict";
import { test } from "node:test";
import { inventory as schema, type Inventory } from "@bulwark/model";
import { damaged, fuzzing } from "@bulwark/testkit";
import fc from "fast-check";
import { inventoryOf } from "../examine-files.ts";
import { readSbom, toCycloneDx, toSpdx } from "../sbom/index.ts";
import { extractors } from "./index.ts";
import { seeds } from "./seeds.fixture.ts";

/** Of a database of rpm there are real ones, made by rpm, in its own test. */
const elsewhere = new Set(["rpm"]);

/** A distribution beside the file, whose name goes into package URLs. */
function scan(path: string, content: string | Buffer): Inventory {
  return inventoryOf({ "etc/os-release": "ID=debian\nVERSION_ID=12\n", [path]: content });
}

test("every extractor has a file to start from, and reads it", () => {
  assert.deepEqual(
    extractors.map(({ name }) => name).filter((name) => !(name in seeds) && !elsewhere.has(name)),
    [],
  );
  for (const [name, { path, content }] of Object.entries(seeds)) {
    const { extractors: states } = scan(path, content);
    assert.deepEqual(states, [{ extractor: name, state: "done", errors: [] }]);
  }
});

const about = {
  subject: { name: "hostile", digest: null, kind: "image" },
  createdAt: "2026-01-02T03:04:05.678Z",
  tool: { name: "bulwark", version: "0.1.0" },
};

for (const [name, { path, content }] of Object.entries(seeds)) {
  test(`${name}: whatever is done to its file, there is an inventory that a report may hold, and bills that say the same`, () => {
    fc.assert(
      fc.property(damaged(Buffer.from(content)), (bytes) => {
        const inventory = schema.parse(scan(path, bytes));
        for (const convert of [toCycloneDx, toSpdx]) {
          const bill = Buffer.from(JSON.stringify(convert({ ...about, inventory })));
          assert.deepEqual(readSbom(bill).inventory.packages, inventory.packages);
        }
      }),
      fuzzing(60),
    );
  });
}
