import assert from "node:assert/strict";
import { test } from "node:test";
import { report as schema, type Inventory } from "@bulwark/model";
import { newReport } from "./new-report.ts";
import { isPartial } from "./partial.ts";
import { sampleReport } from "./report.fixture.ts";

function reportOf(os: Inventory["os"], change: Partial<Inventory> = {}): ReturnType<typeof newReport> {
  const { tool, target } = sampleReport();
  const inventory: Inventory = {
    os,
    packages: [],
    extractors: [{ extractor: "dpkg", state: "done", errors: [] }],
    ...change,
  };
  return schema.parse(newReport({ tool, target, inventory, now: new Date("2026-06-01T12:00:00Z") }));
}

test("what was not looked for is null, not empty, and makes the scan one in part", () => {
  const report = reportOf(null);
  assert.deepEqual([report.vulnerabilities, report.secrets, report.malware, report.checks], [null, null, null, null]);
  assert.equal(isPartial(report), true);
});

test("a release without security updates is said", () => {
  const debian = (version: string): string[] => reportOf({ id: "debian", version, name: `Debian ${version}` }).warnings;
  assert.match(debian("10")[0] ?? "", /^Debian 10 has no free security updates since 20/);
  assert.deepEqual(debian("13"), []);
  assert.deepEqual(reportOf(null).warnings, []);
});
