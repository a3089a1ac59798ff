import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckResult, ImageReport, Malware } from "@bulwark/model";
import { sampleReport, sampleSecret, sampleVulnerability } from "@bulwark/testkit";
import { weaknessesOf } from "./weaknesses.ts";

const layer = `sha256:${"b".repeat(64)}`;
const malware: Malware = {
  ...{ rule: "eicar", title: "EICAR test file", engine: "rule", severity: "low", techniques: [], evidence: [] },
  ...{ location: "/tmp/x.com", sha256: "c".repeat(64), layer, step: "COPY x.com /tmp", remedy: "Remove it." },
};
const check: CheckResult = {
  ...{ check: "image-user", title: "Runs as root", state: "fail", severity: "medium", subject: "web", reason: "" },
  ...{ evidence: [], remedy: "Say USER.", line: null },
};

function report(change: Partial<ImageReport> = {}): ImageReport {
  return { ...sampleReport(1), secrets: [], malware: [], checks: [], ...change };
}

test("a vulnerability has the files, the layer and the build step of its package", () => {
  const base = sampleReport(1);
  const [item] = base.inventory.packages;
  assert.ok(item);
  const packages = [item, { ...item, location: "/srv/copy" }].map((one) => ({
    ...one,
    ...{ layer, step: `RUN ${"x".repeat(5000)}`, origin: "application" as const },
  }));
  const { weaknesses, kinds } = weaknessesOf(report({ inventory: { ...base.inventory, packages } }), [
    sampleVulnerability(1, { purl: item.purl }),
  ]);
  const [found] = weaknesses;
  assert.deepEqual([...kinds], ["vulnerability", "secret", "malware", "misconfiguration"]);
  assert.deepEqual(found?.locations, [item.location, "/srv/copy"]);
  assert.equal(found?.layer, layer);
  assert.equal(found?.origin, "application");
  assert.equal(found?.step?.length, 1024);
});

test("one credential in many files, and one bad file in many places, is one weakness each", () => {
  const copies = [1, 2, 3].map((n) => sampleSecret(7, { location: `/srv/${n}` }));
  const { weaknesses } = weaknessesOf(
    report({ secrets: [...copies, sampleSecret(8)], malware: [malware, { ...malware, location: "/tmp/y.com" }] }),
    [],
  );
  assert.deepEqual(
    weaknesses.map(({ kind, locations }) => [kind, locations.length]),
    [
      ["secret", 3],
      ["secret", 1],
      ["malware", 2],
    ],
  );
});

test("only a check that fails is a weakness: what could not be judged is none", () => {
  const checks = (["fail", "unknown", "pass"] as const).map((state) => ({ ...check, check: state, state }));
  const { weaknesses } = weaknessesOf(report({ checks }), []);
  assert.deepEqual(
    weaknesses.map((item) => item.kind === "misconfiguration" && item.misconfiguration.check),
    ["fail"],
  );
});

test("what was not looked at, or could not be, says nothing: no finding of that kind is mended by it", () => {
  const failed = (extractor: string) => [{ extractor, state: "failed" as const, errors: [] }];
  const kinds = (change: Partial<ImageReport>) => [...weaknessesOf(report(change), []).kinds];
  assert.deepEqual([...weaknessesOf(report(), undefined).kinds], ["secret", "malware", "misconfiguration"]);
  assert.deepEqual(kinds({ secrets: null, malware: null, checks: null }), ["vulnerability"]);
  assert.deepEqual(kinds({ parts: failed("malware") }), ["vulnerability", "secret", "misconfiguration"]);
  const unread = { os: null, packages: [], extractors: failed("image") };
  assert.deepEqual(kinds({ inventory: unread, secrets: null, malware: null, checks: null }), []);
});
