import assert from "node:assert/strict";
import { test } from "node:test";
import type { Report } from "@bulwark/model";
import { ReportError } from "./error.ts";
import { parseExceptions } from "./exceptions-file.ts";
import { applyExceptions } from "./exceptions.ts";
import { problemsOf } from "./problems.ts";
import { sampleReport } from "./report.fixture.ts";

function apply(...entries: Record<string, string>[]): Report {
  const list = entries.map((entry) => ({ reason: "put up with", owner: "web", expires: "2026-12-31", ...entry }));
  return applyExceptions(sampleReport(), parseExceptions(JSON.stringify({ exceptions: list }), ".bulwark.yaml"));
}
const decided = (report: Report): string[] =>
  problemsOf(report)
    .filter(({ decision }) => decision !== null)
    .map(({ rule }) => rule);

test("an exception decides what fits all of its scope, with reason, owner and end", () => {
  const report = apply({ id: "CVE-2024-0001", package: "pkg:deb/debian/openssl@*", target: "shop/*" });
  assert.deepEqual(report.vulnerabilities?.[0]?.decision, {
    by: "exception",
    status: "accepted",
    reason: "put up with",
    owner: "web",
    until: "2026-12-31",
    source: ".bulwark.yaml",
  });
  assert.deepEqual(report.warnings, ["the database is old"]);
});

test("by another name of the weakness, by package, path or target; nothing else", () => {
  const cases: [entry: Record<string, string>, fits: string[]][] = [
    [{ id: "DSA-1-1" }, ["CVE-2024-0001"]],
    [{ id: "*", package: "openssl" }, ["CVE-2024-0001"]],
    [{ id: "CVE-2024-*", package: "open" }, []],
    [{ id: "aws-*", path: "app/**" }, ["aws-access-key"]],
    [{ id: "aws-*", path: "/app/.env" }, ["aws-access-key"]],
    [{ id: "aws-*", path: "test/**" }, []],
    [{ id: "*", target: "other/*" }, []],
    [{ id: "eicar", target: "shop/web:1.2" }, ["eicar"]],
    [{ id: "*" }, ["CVE-2024-0001", "aws-access-key", "eicar", "image-user"]],
  ];
  for (const [entry, fits] of cases) assert.deepEqual(decided(apply(entry)), fits, JSON.stringify(entry));
});

test("one that has run out decides nothing any more; that, and one that fits nothing, is said", () => {
  const report = apply(
    { id: "eicar", expires: "2026-05-31" },
    { id: "CVE-2000-1" },
    { id: "image-user", expires: "2026-06-01" },
  );
  assert.deepEqual(decided(report), ["image-user"]);
  assert.deepEqual(report.warnings.slice(1), [
    ".bulwark.yaml: the exception for eicar (web) ran out on 2026-05-31",
    ".bulwark.yaml: the exception for CVE-2000-1 (web) fits nothing",
  ]);
});

test("never has to be said", () => {
  assert.equal(apply({ id: "eicar", expires: "never" }).malware?.[0]?.decision?.until, null);
});

test("a file that is wrong is refused with its line and what is expected", () => {
  const whole = "exceptions:\n  - id: x\n    owner: me\n    reason: because\n    expires: 2026-12-31\n";
  assert.equal(parseExceptions(whole, "f").list.length, 1);
  assert.equal(parseExceptions("", "f").list.length, 0);
  const wrong: [text: string, message: RegExp][] = [
    [whole.replace("    owner: me\n", ""), /^f:2: exceptions\.0\.owner/],
    [whole.replace("2026-12-31", "soon"), /^f:5: exceptions\.0\.expires/],
    [whole.replace("reason: because", "reason: ''"), /^f:4: exceptions\.0\.reason/],
    [`${whole}    severity: high\n`, /^f:2: .*severity/],
    ["exceptions: [", /^f:1: /],
    ["a: &a [*a, *a]\nexceptions: []\n", /^f:/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(
      () => parseExceptions(text, "f"),
      (error) => error instanceof ReportError && error.code === "bad-exceptions" && message.test(error.message),
      text,
    );
  }
});
