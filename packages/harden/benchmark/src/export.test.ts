import assert from "node:assert/strict";
import { test } from "node:test";
import { exportRows, exportText, loadLibrary, summarize } from "./index.ts";

const library = loadLibrary();

function rowsOf(reason: string) {
  const check = library.checks.host.find(({ id }) => id === "kernel-parameter-aslr");
  assert.ok(check);
  const subject = { kind: "host" as const, name: "a" };
  const result = {
    ...{ check: check.id, title: check.title, state: "fail" as const, severity: check.severity, subject: "a", reason },
    ...{ evidence: [{ key: "now", value: "0" }], remedy: check.remedy, line: null },
  };
  const sets = [{ id: "kernel", applies: true, reason: "" }];
  const [summary] = summarize(library, { subject, sets, results: [result], collectedAt: 0, durationMs: 0 });
  assert.ok(summary);
  return { set: summary.set, rows: exportRows(library, summary.items, subject) };
}

test("a file has numbers, evidence, who answers and the clauses of other standards", () => {
  const { set, rows } = rowsOf("it is 0");
  const [row] = rows;
  assert.deepEqual([row?.number, row?.state, row?.evidence, row?.answers], ["2.15", "fail", "now: 0", "platform"]);
  assert.match(row?.clauses ?? "", /attack: T1611.*pci-dss: .*mlps: 8\.1\.4\.4 a\)/);
  assert.equal((JSON.parse(exportText("json", set, rows)) as { rows: unknown[] }).rows.length, 1);
});

test("nothing in a file is run by what opens it", () => {
  const { set, rows } = rowsOf(`=cmd|'/c calc'!A0,"<script>alert(1)</script>\n`);
  const csv = exportText("csv", set, rows);
  assert.ok(csv.includes(`"'=cmd|`));
  assert.ok(csv.includes(`""<script>`));
  const html = exportText("html", set, rows);
  assert.ok(!html.includes("<script>"));
  assert.ok(html.includes("&lt;script&gt;"));
});
