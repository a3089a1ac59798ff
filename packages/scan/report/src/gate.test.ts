import assert from "node:assert/strict";
import { test } from "node:test";
import { knownTo } from "./baseline.ts";
import { ReportError } from "./error.ts";
import { failing, parseGate } from "./gate.ts";
import { sampleReport, sampleVulnerability } from "./report.fixture.ts";

const report = sampleReport(undefined, {
  vulnerabilities: [
    sampleVulnerability({ id: "A", severity: "critical", fixedVersion: null }),
    sampleVulnerability({ id: "B", severity: "medium", exploited: true, epss: 0.5 }),
    sampleVulnerability({ id: "C", severity: "low", epss: 0.05 }),
    sampleVulnerability({ id: "D", severity: "unknown" }),
  ],
});
const rules = (...gates: string[]): string[] => failing(report, gates.map(parseGate)).map(({ rule }) => rule);

test("a severity is that or worse, of every kind", () => {
  assert.deepEqual(rules("critical"), ["A", "aws-access-key"]);
  assert.deepEqual(rules("medium,vulnerability"), ["A", "B"]);
  assert.deepEqual(rules("high"), ["A", "aws-access-key", "eicar"]);
});

test("terms between commas hold for one and the same, several gates for one or another", () => {
  assert.deepEqual(rules("critical,fixable"), []);
  assert.deepEqual(rules("medium,fixable"), ["B"]);
  assert.deepEqual(rules("kev", "epss>=5%"), ["B", "C"]);
  assert.deepEqual(rules("epss>=0.1"), ["B"]);
  assert.deepEqual(rules("secret", "malware"), ["aws-access-key", "eicar"]);
  assert.equal(rules("any").length, 7);
  assert.deepEqual(rules(), []);
});

test("with a baseline only what it does not know fails, and an update that mends nothing is nothing new", () => {
  const [first, ...others] = report.vulnerabilities ?? [];
  assert.ok(first);
  const known = knownTo({ ...report, vulnerabilities: others });
  assert.deepEqual(
    failing(report, [parseGate("any")], known).map(({ rule }) => rule),
    ["A"],
  );
});

test("what somebody decided upon does not fail", () => {
  const decision = { by: "vex", status: "fixed", reason: "", owner: null, until: null, source: "x" } as const;
  const decided = {
    ...report,
    vulnerabilities: report.vulnerabilities?.map((item) => ({ ...item, decision })) ?? null,
  };
  assert.deepEqual(failing(decided, [parseGate("vulnerability")]), []);
});

test("a condition that there is none of is said, with those that there are", () => {
  for (const text of ["severe", "epss", "epss>=2", "epss>0.1", "", "high,"]) {
    assert.throws(
      () => parseGate(text),
      (error) => error instanceof ReportError && error.code === "bad-gate" && /critical/.test(error.remedy ?? ""),
      text,
    );
  }
});
