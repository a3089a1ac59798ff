import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError, loadConfig, parseConfig, readSecret } from "./load.ts";

test("an empty file gives the defaults", () => {
  const config = parseConfig("", "x.yaml");
  assert.equal(config.server.port, 8443);
  assert.equal(config.retention.size, 20e9);
});

test("sizes are read with their unit", () => {
  assert.equal(parseConfig("retention: { size: 5 GB }", "x.yaml").retention.size, 5e9);
});

for (const [text, expected] of [
  ["server:\n  prot: 1\n", /^x\.yaml:2: server: no such setting: prot$/],
  ["server:\n  port: many\n", /^x\.yaml:2: server\.port: /],
  ["server: [\n", /^x\.yaml:\d: /],
  ["a: &a [1]\nb: *a\n", /./],
] as const) {
  test(`a broken file is refused with its line: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseConfig(text, "x.yaml"),
      (error) => error instanceof Error && expected.test(error.message),
    );
  });
}

test("a named file that is missing is an error, the default one is not", () => {
  assert.throws(() => loadConfig("/nonexistent.yaml"), ConfigError);
});

test("the environment wins over the file", () => {
  assert.equal(loadConfig(undefined, { DATABASE_URL: "postgres://x/y" }).server.database, "postgres://x/y");
});

test("a secret comes from the environment, else from its file; an empty or missing file is an error", () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-config-"));
  try {
    const file = join(folder, "key");
    writeFileSync(file, "from the file\n");
    assert.equal(readSecret("BULWARK_KEY", file, {}), "from the file");
    assert.equal(readSecret("BULWARK_KEY", file, { BULWARK_KEY: "from the environment" }), "from the environment");
    assert.equal(readSecret("BULWARK_KEY", undefined, {}), undefined);
    writeFileSync(file, "\n");
    assert.throws(() => readSecret("BULWARK_KEY", file, {}), /is empty/);
    assert.throws(() => readSecret("BULWARK_KEY", join(folder, "none"), {}), ConfigError);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a node's name has no sign that keys are put together with, and a proxy is an address", () => {
  assert.equal(parseConfig("agent: { node: worker-1.example }", "x.yaml").agent.node, "worker-1.example");
  for (const text of ["agent: { node: a/b }", "agent: { node: 'a:b' }", "server: { trustProxy: [somewhere] }"]) {
    assert.throws(() => parseConfig(text, "x.yaml"), ConfigError);
  }
});
