import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { contentFolder, readContent, readDocuments } from "./index.ts";

const [techniques] = readDocuments(readContent(contentFolder("attack")), z.record(z.string(), z.string()));

test("every technique of ATT&CK that content names is one of ATT&CK", () => {
  const known = new Set(Object.keys(techniques?.value ?? {}));
  assert.ok(known.size > 600, String(known.size));
  const texts = ["checks", "policies", "rules", "secrets", "malware"].flatMap((kind) =>
    readContent(contentFolder(kind)),
  );
  const named = texts.flatMap(({ name, text }) =>
    [...text.matchAll(/\bT1\d{3}(?:\.\d{3})?\b/g)].map(([id]) => ({ name, id })),
  );
  assert.ok(named.length > 50, String(named.length));
  assert.deepEqual(
    named.filter(({ id }) => !known.has(id)),
    [],
  );
});
