import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

const development = (name: string, files: Record<string, string>) =>
  inventoryOf(files).packages.find((item) => item.name === name)?.development;

test("version 3: by place, without links and the project itself; development told apart", () => {
  const lock = JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "": { name: "app", version: "1.0.0" },
      "node_modules/@babel/core": { version: "7.24.0", license: "MIT", dev: true },
      "node_modules/a/node_modules/ms": { version: "2.0.0" },
      "node_modules/alias": { name: "real", version: "1.2.3" },
      "node_modules/own": { resolved: "packages/own", link: true },
      "packages/own": { version: "0.0.1" },
    },
  });
  const { packages } = inventoryOf({ "app/package-lock.json": lock });
  assert.deepEqual(
    packages.map(({ purl, development, licences }) => [purl, development, licences]),
    [
      ["pkg:npm/%40babel/core@7.24.0", true, ["MIT"]],
      ["pkg:npm/ms@2.0.0", false, []],
      ["pkg:npm/real@1.2.3", false, []],
    ],
  );
});

test("version 1: dependencies within dependencies, aliases, git", () => {
  const lock = JSON.stringify({
    lockfileVersion: 1,
    dependencies: {
      debug: { version: "4.3.4", dependencies: { ms: { version: "2.1.2", dev: true } } },
      alias: { version: "npm:lodash@4.17.21" },
      fork: { version: "git+ssh://git@github.com/x/fork.git#0123abcd" },
      own: { version: "file:packages/own" },
    },
  });
  assert.deepEqual(namesAndVersions(inventoryOf({ "package-lock.json": lock })), [
    "debug 4.3.4",
    "fork 0123abcd",
    "lodash 4.17.21",
    "ms 2.1.2",
  ]);
});

test("what is installed: packages themselves, in every layout, not the examples and tests in them", () => {
  const manifest = (name: string) => JSON.stringify({ name, version: "1.0.0", license: "ISC" });
  const found = inventoryOf({
    "app/node_modules/a/package.json": manifest("a"),
    "app/node_modules/@s/b/node_modules/c/package.json": manifest("c"),
    "app/node_modules/.pnpm/d@1.0.0/node_modules/d/package.json": manifest("d"),
    "usr/share/nodejs/e/package.json": manifest("e"),
    "app/node_modules/a/test/node_modules/x/package.json": manifest("x"),
    "app/node_modules/a/esm/package.json": '{"type":"module"}',
    "app/package.json": manifest("app"),
  });
  assert.deepEqual(namesAndVersions(found), ["a 1.0.0", "c 1.0.0", "d 1.0.0", "e 1.0.0"]);
});

test("a lock file that was carried out gives way to what is installed, and still says what is for development", () => {
  const lock = JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "node_modules/a": { version: "1.0.0" },
      "node_modules/b": { version: "1.0.0", dev: true },
      "node_modules/left-out": { version: "1.0.0", dev: true },
    },
  });
  const installed = {
    "app/node_modules/a/package.json": '{"name":"a","version":"1.0.0"}',
    "app/node_modules/b/package.json": '{"name":"b","version":"1.0.0"}',
  };
  const files = { "app/package-lock.json": lock, ...installed };
  assert.deepEqual(namesAndVersions(inventoryOf(files)), ["a 1.0.0", "b 1.0.0"]);
  assert.equal(development("a", files), false);
  assert.equal(development("b", files), true);
  const elsewhere = { "other/package-lock.json": lock, ...installed };
  assert.equal(inventoryOf(elsewhere).packages.length, 5, "another project's installation is not this one's");
});

test("a broken lock file is a failure with its reason", () => {
  const { extractors } = inventoryOf({ "package-lock.json": '{"lockfileVersion": 3, "packages": {' });
  assert.equal(extractors[0]?.state, "failed");
  assert.match(extractors[0]?.errors[0]?.message ?? "", /JSON/);
});
