import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzing } from "@bulwark/testkit";
import fc from "fast-check";
import { rangesOf, rangeWith, type RangeEvent } from "./ranges.ts";
import { compareVersions } from "./versions/index.ts";

/** The specification's own words, line by line. https://ossf.github.io/osv-schema/#evaluation */
function includedInRange(version: string, events: RangeEvent[]): boolean {
  const compare = (a: string, b: string): number => (b === "0" ? 1 : compareVersions("semver", a, b));
  const limits = events.map(({ limit }) => limit).filter((limit) => limit !== undefined);
  const beforeLimits = limits.length === 0 || limits.some((limit) => limit === "*" || compare(version, limit) < 0);
  if (!beforeLimits) return false;
  const at = (event: RangeEvent): string => event.introduced ?? event.fixed ?? event.last_affected ?? "";
  const sorted = events
    .filter(({ limit }) => limit === undefined)
    .toSorted((a, b) => {
      if (at(a) === "0" || at(b) === "0") return Number(at(b) === "0") - Number(at(a) === "0");
      return compareVersions("semver", at(a), at(b));
    });
  let vulnerable = false;
  for (const { introduced, fixed, last_affected: last } of sorted) {
    if (introduced !== undefined && compare(version, introduced) >= 0) vulnerable = true;
    if (fixed !== undefined && compare(version, fixed) >= 0) vulnerable = false;
    if (last !== undefined && compare(version, last) > 0) vulnerable = false;
  }
  return vulnerable;
}

const version = fc
  .tuple(fc.nat(3), fc.nat(3), fc.constantFrom("", "-rc.1"))
  .map(([a, b, rc]) => `${a + 1}.${b}.0${rc}`);
const event: fc.Arbitrary<RangeEvent> = fc.oneof(
  fc.record({ introduced: fc.oneof(version, fc.constant("0")) }),
  fc.record({ fixed: version }),
  fc.record({ last_affected: version }),
  fc.record({ limit: fc.oneof({ weight: 3, arbitrary: version }, { weight: 1, arbitrary: fc.constant("*") }) }),
);

test("a version is in the ranges exactly when the specification's algorithm says so", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), version, (events, asked) => {
      const inside = rangeWith(rangesOf(events, "semver"), asked, "semver") !== undefined;
      assert.equal(inside, includedInRange(asked, events));
    }),
    fuzzing(3000),
  );
});

test("a version that a record calls both the last affected and fixed is fixed", () => {
  const events = [{ last_affected: "3.1.0" }, { introduced: "1.0.0" }, { fixed: "3.1.0" }];
  const ranges = rangesOf(events, "semver");
  assert.equal(rangeWith(ranges, "3.1.0", "semver"), undefined);
  assert.notEqual(rangeWith(ranges, "3.0.9", "semver"), undefined);
});

test("events count in the order of their versions, and a fix ends what is before it", () => {
  const events = [{ introduced: "2.0.0" }, { fixed: "1.0.5" }, { introduced: "0" }, { fixed: "2.1.0" }];
  assert.deepEqual(rangesOf(events, "semver"), [
    { from: null, to: "1.0.5", closed: false },
    { from: "2.0.0", to: "2.1.0", closed: false },
  ]);
});
