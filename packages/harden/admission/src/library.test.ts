import assert from "node:assert/strict";
import { basename, join } from "node:path";
import test from "node:test";
import { admissionOf, caseProblems, casesOf, loadLibrary, requestFor, type Admission, type Decision } from "./index.ts";

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

test("all policies together say what each says alone: what they share is the same for each", () => {
  const options = { namespaceOf: (name: string) => ({ metadata: { name } }), paramsOf: () => [] };
  const together = admissionOf(library, options);
  const alone = library.map((policy) => admissionOf([policy], options));
  let found = 0;
  for (const { object, oldObject = null, operation } of library.flatMap(casesOf)) {
    const ask = (admission: Admission): Decision[] => [
      ...admission.review(requestFor(object, { operation, oldObject })).decisions,
    ];
    const byName = (a: Decision, b: Decision): number => (a.policy < b.policy ? -1 : a.policy > b.policy ? 1 : 0);
    const all = ask(together);
    found += all.length;
    assert.deepEqual(all.toSorted(byName), alone.flatMap(ask).toSorted(byName));
  }
  assert.ok(found > 1000, String(found));
});
