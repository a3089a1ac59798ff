import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { missing, suitesDir } from "@bulwark/testkit";
import fc from "fast-check";
import { versionsConformance } from "./conformance.ts";
import { compareVersions } from "./index.ts";

test("every line of the public suite, both ways round", { skip: missing("suites") }, () => {
  const { passed, failures } = versionsConformance(join(suitesDir(), "versions"));
  assert.deepEqual(failures, []);
  assert.ok(passed > 100);
});

const cases: ["apk" | "deb", string, "<" | "=" | ">", string][] = [
  ["deb", "1.0~rc1", "<", "1.0"],
  ["deb", "1:0.1", ">", "99"],
  ["deb", "1.0", "=", "1.0-0"],
  ["deb", "2.36-9+deb12u4", "<", "2.36-9+deb12u10"],
  ["deb", "1.0+b1", ">", "1.0"],
  ["deb", "99999999999999999998", "<", "99999999999999999999"],
  ["apk", "1.2.3-r10", ">", "1.2.3-r9"],
  ["apk", "1.2_alpha1", "<", "1.2"],
  ["apk", "1.2_p1", ">", "1.2"],
  ["apk", "1.05", "<", "1.1"],
  ["apk", "1.30.1-r2", ">", "1.29.3-r10"],
];
for (const [scheme, a, sign, b] of cases) {
  test(`${scheme}: ${a} ${sign} ${b}`, () => {
    assert.equal(Math.sign(compareVersions(scheme, a, b)), { "<": -1, "=": 0, ">": 1 }[sign]);
  });
}

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."0123456789.abp~+-_:r".split("")), maxLength: 12 }),
  fc.string(),
);
for (const scheme of ["apk", "deb"] as const) {
  test(`${scheme}: an order, whatever the texts`, () => {
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        const sign = (x: string, y: string): number => Math.sign(compareVersions(scheme, x, y));
        assert.equal(sign(a, a), 0);
        assert.equal(sign(a, b), -sign(b, a) + 0);
        if (sign(a, b) <= 0 && sign(b, c) <= 0) assert.ok(sign(a, c) <= 0, `${a} ≤ ${b} ≤ ${c}`);
      }),
      { numRuns: 2000 },
    );
  });
}
