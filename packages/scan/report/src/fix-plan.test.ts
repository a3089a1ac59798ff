import assert from "node:assert/strict";
import { test } from "node:test";
import { fixPlanOf } from "./fix-plan.ts";
import { writeFixPlan } from "./formats/fix-plan.ts";
import { hostile, sampleReport, sampleVulnerability } from "./report.fixture.ts";

const npm = { type: "npm", source: "lodash", package: "lodash", version: "4.17.0" } as const;
const report = sampleReport(undefined, {
  vulnerabilities: [
    sampleVulnerability({ id: "A", origin: "base", package: "libssl3", source: "openssl", fixedVersion: "3.0.9-1" }),
    sampleVulnerability({ id: "B", origin: "base", package: "libssl3", source: "openssl", fixedVersion: "3.0.11-1" }),
    sampleVulnerability({ id: "C", origin: "application", package: "curl", severity: "low" }),
    sampleVulnerability({ id: "D", ...npm, fixedVersion: "4.17.9" }),
    sampleVulnerability({ id: "E", ...npm, fixedVersion: "4.17.21" }),
    sampleVulnerability({ id: "F", type: "npm", package: "minimist", source: "minimist", severity: "critical" }),
    sampleVulnerability({ id: "G", fixedVersion: null }),
    sampleVulnerability({
      id: "H",
      decision: { by: "vex", status: "fixed", reason: "", owner: null, until: null, source: "" },
    }),
  ],
});

test("base image first, then the distribution, then dependencies by urgency; one upgrade for each package, to its last fix", () => {
  const { steps, stays } = fixPlanOf(report);
  assert.deepEqual(
    steps.map(({ kind, removes, upgrades }) => [kind, removes, upgrades.map(({ name, to }) => `${name} ${to}`)]),
    [
      ["base-image", ["A", "B"], ["libssl3 3.0.11-1"]],
      ["system", ["C"], ["curl 3.0.11-1"]],
      ["dependency", ["F"], ["minimist 3.0.11-1"]],
      ["dependency", ["D", "E"], ["lodash 4.17.21"]],
    ],
  );
  assert.deepEqual(stays, ["G"]);
  assert.equal(steps[1]?.command, "apt-get update && apt-get install --only-upgrade curl");
});

test("a name that is none becomes no part of a command", () => {
  for (const name of ["x; rm -rf /", "$(id)", "-oDebug::Pkg", "a\nb"]) {
    const item = sampleVulnerability({ package: name });
    assert.equal(fixPlanOf(sampleReport(undefined, { vulnerabilities: [item] })).steps[0]?.command, null, name);
  }
});

test("for people: what to do and what is gone after it; no foreign character gets out", () => {
  const text = writeFixPlan(report);
  assert.match(text, /^1\. Build anew on a base image/);
  assert.match(text, /libssl3 3\.0\.10-1 → 3\.0\.11-1/);
  assert.match(text, /4\. Update lodash from 4\.17\.0 to 4\.17\.21/);
  assert.match(text, /Without a fix stay 1: G/);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(writeFixPlan(sampleReport(hostile)), /[\u0000-\u0009\u000B-\u001F\u202E]/);
});
