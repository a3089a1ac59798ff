import assert from "node:assert/strict";
import { basename, join } from "node:path";
import test from "node:test";
import { caseProblems, casesOf, loadLibrary } from "./index.ts";

const folder = join(import.meta.dirname, "../../../../content/policies");
const library = loadLibrary(folder);

test("the library has at least 60 policies, each with title, severity, why and remedy", () => {
  assert.ok(library.length >= 60, String(library.length));
  for (const { name, file, title, why, remedy, category } of library) {
    assert.equal(basename(file), `${name}.yaml`, "a policy is in the file of its name");
    assert.notEqual(title, name, name);
    for (const text of [why, remedy, category]) assert.notEqual(text, "", name);
  }
  assert.equal(new Set(library.map(({ name }) => name)).size, library.length);
});

for (const policy of library) {
  test(`policy ${policy.name}: its cases hold, and its fix mends`, async () => {
    assert.deepEqual(await caseProblems(policy), []);
    assert.ok(casesOf(policy).length >= 2);
  });
}
