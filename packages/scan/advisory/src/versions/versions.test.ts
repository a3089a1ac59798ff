import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fuzzing, missing, suitesDir } from "@bulwark/testkit";
import fc from "fast-check";
import { versionsConformance } from "./conformance.ts";
import { compareVersions, versionSchemes, type VersionScheme } from "./index.ts";

test("every line of the public suite, both ways round", { skip: missing("suites") }, () => {
  const { passed, failures } = versionsConformance(join(suitesDir(), "versions"));
  assert.deepEqual(failures, []);
  assert.ok(passed > 1500);
});

/** Chains in rising order; `=` joins what is equal. Each from the definition that the scheme's file names. */
const chains: Record<VersionScheme, string[]> = {
  bitnami: ["1.2.3-rc1", "1.2.3 = 1.2.3-0", "1.2.3-4", "1.2.3-10", "1.2.4"],
  apk: ["1.05", "1.1", "1.2_alpha1", "1.2_rc1", "1.2", "1.2_p1", "1.2a", "1.2.3-r9", "1.2.3-r10"],
  composer: ["1.0-dev", "1.0-alpha1", "v1.0-beta2 = 1.0b2", "1.0RC1 = 1.0-rc.1", "1.0", "1.0pl1 = 1.0-p1", "1.1"],
  cran: ["0.9", "0.10", "0.10-0 = 0.10.0", "0.10.0.0", "1.0-1"],
  deb: ["1.0~~", "1.0~rc1", "1.0 = 1.0-0", "1.0+b1", "2.36-9+deb12u4", "2.36-9+deb12u10", "1:0.1", "2:0~"],
  gem: ["1.0.a", "1.0.a.2 = 1.0.a2", "1.0.b1", "1.0-1 = 1.0.pre.1", "1.0 = 1 = 1.0.0", "1.0.1", "1.10"],
  go: [
    "v0.0.0-20190101000000-aaaaaaaaaaaa",
    "v0.0.0-20200101000000-aaaaaaaaaaaa",
    "v0.0.1",
    "go1.21rc2 = 1.21.0-rc.2",
    "1.21 = go1.21.0",
    "v2.0.0+incompatible = v2.0.0",
  ],
  hackage: ["0.9", "0.10", "1", "1.0", "1.0.0", "1.1"],
  maven: [
    "1.0-alpha-1 = 1a1",
    "1.0-beta",
    "1-m2",
    "1.0-rc1 = 1-CR1",
    "1-SNAPSHOT",
    "1 = 1.0.0 = 1.ga = 1.0.Final = 1.RELEASE",
    "1-sp",
    "1-jre",
    "1-1",
    "1.1",
  ],
  nuget: ["1.0.0-alpha", "1.0.0-BETA.2 = 1.0.0-beta.2+x", "1.0.0-beta.10", "1 = 1.0.0.0", "1.0.0.1", "1.0.1"],
  pep440: [
    "1.0-bulbasaur",
    "1.0.dev1",
    "1.0a1.dev1",
    "1.0a1 = 1.0-ALPHA.1",
    "1.0b2",
    "1.0rc1 = 1.0c1 = 1.0-preview_1",
    "1.0 = 1 = v1.0.0",
    "1.0+abc",
    "1.0+5 = 1.0+05",
    "1.0.post1.dev2",
    "1.0-1 = 1.0.post1 = 1.0rev1",
    "1.1",
    "1!0.1",
  ],
  pub: ["1.0.0-a", "1.0.0-a+1", "1.0.0", "1.0.0+9", "1.0.0+10", "1.0.0+a"],
  rpm: ["1.0~rc1^git1-1", "1.0", "1.0-1.el9", "1.0-1.el9_2", "1.0^git1-1", "1.0.1-1 = 0:1.0.1-1", "1:0.1-1"],
  semver: [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "v1 = 1.0.0+build",
    "1.0.0.1",
    "1.10.0",
  ],
};
for (const scheme of versionSchemes) {
  test(`${scheme}: in rising order`, () => {
    const steps = chains[scheme].map((step) => step.split(" = "));
    for (const [low, smaller] of steps.entries()) {
      for (const [high, greater] of steps.entries()) {
        for (const a of smaller) {
          for (const b of greater) {
            assert.equal(Math.sign(compareVersions(scheme, a, b)), Math.sign(low - high), `${a} and ${b}`);
          }
        }
      }
    }
  });

  test(`${scheme}: numbers of any size, and texts of any size in no time`, () => {
    assert.ok(compareVersions(scheme, "1.99999999999999999998", "1.99999999999999999999") < 0);
    const long = "1.a-~_^".repeat(200_000);
    assert.ok(compareVersions(scheme, `${long}2`, `${long}1`) > 0);
    assert.ok(compareVersions(scheme, `${long}1`, `${long}2`) < 0);
  });
}

const pieces = [
  "0",
  "1",
  "2",
  "10",
  "01",
  ".",
  "-",
  "a",
  "b",
  "rc",
  "dev",
  "p",
  "~",
  "^",
  "+",
  "_",
  "v",
  ":",
  "!",
  "sp",
];
const text = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((parts) => parts.join("")) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
);
/** Where the definition itself runs in a circle: PHP's `#` equals every number, Maven's `.word` is before any `-word`. */
const circles: Partial<Record<VersionScheme, RegExp>> = { composer: /#/, maven: /\.(?![\d.-]|$)|[^\d.-]\./ };
for (const scheme of versionSchemes) {
  test(`${scheme}: an order, whatever the texts`, () => {
    const sign = (x: string, y: string): number => Math.sign(compareVersions(scheme, x, y));
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        assert.equal(sign(a, a.slice(0)), 0);
        assert.equal(sign(a, b) + sign(b, a), 0);
        if ([a, b, c].some((version) => circles[scheme]?.test(version))) return;
        if (sign(a, b) <= 0 && sign(b, c) <= 0) assert.ok(sign(a, c) <= 0, `${a} ≤ ${b} ≤ ${c}`);
      }),
      fuzzing(3000),
    );
  });
}
