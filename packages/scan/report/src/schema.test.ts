import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { report } from "@bulwark/model";
import { z } from "zod";

const file = join(import.meta.dirname, "../../../../docs/report.schema.json");

test("docs/report.schema.json is the schema of the report; UPDATE=1 writes it", () => {
  const schema = {
    $id: "https://bulwark.example/report.schema.json",
    title: "Report of bulwark scan",
    ...z.toJSONSchema(report),
  };
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (process.env["UPDATE"] === "1") writeFileSync(file, text);
  const there: unknown = JSON.parse(readFileSync(file, "utf8"));
  assert.deepEqual(there, JSON.parse(text));
});
