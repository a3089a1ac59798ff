import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, loadConfig, parseConfig } from "./load.ts";

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
