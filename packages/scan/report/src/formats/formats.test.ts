import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { report as schema } from "@bulwark/model";
import { parseReport } from "../baseline.ts";
import { ReportError } from "../error.ts";
import { problemsOf } from "../problems.ts";
import { hostile, sampleReport, sampleVulnerability } from "../report.fixture.ts";
import { formats } from "./index.ts";

const writers = new Map(await Promise.all(formats.map(async ({ name, load }) => [name, await load()] as const)));
const write = (name: string, report = sampleReport()): string => writers.get(name)?.(report, { packages: true }) ?? "";
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E\u2028]/;

test("the sample is a report", () => void schema.parse(sampleReport()));

for (const { name } of formats) {
  test(`${name}: no control character of a foreign text gets out`, () => {
    const out = write(name, sampleReport(hostile));
    assert.ok(out.length > 100);
    assert.doesNotMatch(out, control);
  });
}

describe("table", () => {
  test("never wider than 80 columns, whatever the texts", () => {
    for (const report of [
      sampleReport(),
      sampleReport(hostile),
      sampleReport("x".repeat(500)),
      sampleReport("word ".repeat(99)),
    ]) {
      for (const line of write("table", report).split("\n")) assert.ok(line.length <= 80, `${line.length}: ${line}`);
    }
  });

  test("says what is where, what mends it, and what nobody can tell", () => {
    const out = write("table").replaceAll(/\s+/g, " ");
    assert.match(out, /openssl 3\.0\.10-1 fixed in 3\.0\.11-1 high CVE-2024-0001 exploited epss 93% Reads what/);
    assert.match(
      out,
      /\/app\/\.env:3 critical aws-access-key Access key of AWS: AKIA\*+, in a layer although a later one deleted it Revoke it\./,
    );
    assert.match(out, /1 packages: it has no version left-pad/);
    assert.match(out, /jar: partial \/app\/x\.jar: it ends early/);
    assert.match(out, /1 vulnerabilities in the 0 of 1 packages that can be judged: 1 high\./);
  });

  test("the binary packages of one source are one entry", () => {
    const both = ["libssl3", "openssl"].map((name) => sampleVulnerability({ package: name, source: "openssl" }));
    const out = write("table", sampleReport(undefined, { vulnerabilities: both }));
    assert.match(out, /openssl 3\.0\.10-1 \(libssl3\)/);
    assert.equal(out.match(/CVE-2024-0001/g)?.length, 1);
  });

  test("a list that was not looked for is not called empty", () => {
    const out = write("table", sampleReport(undefined, { vulnerabilities: null, secrets: null, malware: [] }));
    assert.match(out, /there is no advisory database/);
    assert.doesNotMatch(out, /No secrets|No vulnerabilities/);
    assert.match(out, /No malicious files\./);
  });
});

test("json: what is written is read again as it was, and nothing else is", () => {
  const report = sampleReport(hostile);
  assert.deepEqual(parseReport(write("json", report), "x.json"), report);
  for (const text of ["", "{}", "[1]", '{"version":2}', write("sarif")]) {
    assert.throws(
      () => parseReport(text, "x.json"),
      (error) => error instanceof ReportError && error.code === "bad-report",
    );
  }
});

describe("sarif", () => {
  interface Log {
    runs: {
      tool: { driver: { rules: { id: string; helpUri?: string; properties: Record<string, string> }[] } };
      results: {
        ruleId: string;
        ruleIndex: number;
        level: string;
        locations: { physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } } }[];
        partialFingerprints: Record<string, string>;
        suppressions?: { justification: string }[];
      }[];
    }[];
  }
  const runOf = (report = sampleReport()): Log["runs"][number] => {
    const [run] = (JSON.parse(write("sarif", report)) as Log).runs;
    assert.ok(run);
    return run;
  };

  test("every result names a rule that is there, a place, and the fingerprint by which it is known again", () => {
    const { results, tool } = runOf();
    assert.equal(results.length, 4);
    for (const { ruleId, ruleIndex, partialFingerprints } of results) {
      assert.equal(tool.driver.rules[ruleIndex]?.id, ruleId);
      assert.ok(partialFingerprints["bulwark/v1"]);
    }
    const secret = results.find(({ ruleId }) => ruleId === "aws-access-key");
    assert.deepEqual(secret?.locations[0]?.physicalLocation.region, { startLine: 3 });
    assert.equal(secret?.locations[0]?.physicalLocation.artifactLocation.uri, "app/.env");
    assert.equal(tool.driver.rules[0]?.properties["security-severity"], "7.5");
  });

  test("a path is a relative reference, an address is one of the web, a decision suppresses", () => {
    const decision = {
      by: "vex",
      status: "not-affected",
      reason: "not built",
      owner: null,
      until: null,
      source: "v",
    } as const;
    const item = sampleVulnerability({
      locations: ["/a b/../..//etc/p:q?#"],
      references: ["javascript:alert(1)", "https://x.example/"],
      decision,
    });
    const { results, tool } = runOf(sampleReport(undefined, { vulnerabilities: [item] }));
    assert.equal(results[0]?.locations[0]?.physicalLocation.artifactLocation.uri, "a%20b/etc/p%3Aq%3F%23");
    assert.equal(tool.driver.rules[0]?.helpUri, "https://x.example/");
    assert.equal(results[0]?.suppressions?.[0]?.justification, "not built");
  });
});

test("junit: counts are those of the cases, and the markup is whole", () => {
  for (const report of [sampleReport(), sampleReport(hostile)]) {
    const out = write("junit", report);
    assert.equal(out.match(/<failure /g)?.length, 4);
    assert.equal(out.match(/<error /g)?.length, 1);
    wellFormed(out.replace(/^<\?xml.*\?>/, ""));
  }
  const clean = write("junit", sampleReport(undefined, { secrets: [], malware: null }));
  assert.match(clean, /name="secret: shop\/web:1\.2" tests="1" failures="0"/);
  assert.doesNotMatch(clean, /name="malware:/);
});

test("html: the markup is whole, no foreign text becomes an element or an address", () => {
  const out = write("html", sampleReport(hostile));
  wellFormed(out.replace(/<!doctype html>/, "").replaceAll(/<(meta|br)\b([^>]*)>/g, "<$1$2/>"));
  assert.doesNotMatch(out, /<(script|img|a|link|iframe)\b/);
  assert.match(out, /default-src 'none'/);
  assert.match(write("html"), /AKIA\*{12}/);
});

test("gitlab: only what is undecided, with identifiers and a place", () => {
  const document = JSON.parse(write("gitlab")) as {
    vulnerabilities: { id: string; severity: string; identifiers: { type: string }[]; location: { image: string } }[];
  };
  const [item, ...more] = document.vulnerabilities;
  assert.equal(more.length, 0);
  assert.match(item?.id ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([item?.severity, item?.identifiers[0]?.type, item?.location.image], ["High", "cve", "shop/web:1.2"]);
});

test("checks that pass are no problem", () => {
  const report = sampleReport();
  const checks = report.checks?.map((item) => ({ ...item, state: "pass" as const })) ?? [];
  assert.equal(problemsOf({ ...report, checks }).length, 3);
});

/** Every element that is opened is closed, in turn; attributes are quoted; text has no bare mark. */
function wellFormed(markup: string): void {
  const open: string[] = [];
  let at = 0;
  const token = /<(\/?)([a-z][\w-]*)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|[^<]+/gy;
  for (let match = token.exec(markup); match; match = token.exec(markup)) {
    at = token.lastIndex;
    const [text, close, name = "", , empty] = match;
    if (!text.startsWith("<")) assert.doesNotMatch(text, /&(?!\w+;|#\d+;)/);
    else if (close === "/") assert.equal(open.pop(), name);
    else if (empty !== "/") open.push(name);
  }
  assert.equal(at, markup.length, markup.slice(at, at + 80));
  assert.deepEqual(open, []);
}
