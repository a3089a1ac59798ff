import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

const found = (lock: string) =>
  inventoryOf({ "pnpm-lock.yaml": lock }).packages.map(
    ({ name, version, development }) => `${name} ${version}${development ? " development" : ""}`,
  );

test("version 5: name and version parted by a slash, peers behind an underscore", () => {
  const lock = `lockfileVersion: 5.4
packages:
  /@babel/core/7.20.0:
    resolution: {integrity: sha512-x}
    dev: true
  /react-dom/18.2.0_react@18.2.0:
    dev: false
`;
  assert.deepEqual(found(lock), ["@babel/core 7.20.0 development", "react-dom 18.2.0"]);
});

test("version 6: parted by an at sign, peers in brackets", () => {
  const lock = `lockfileVersion: '6.0'
packages:
  /react-dom@18.2.0(react@18.2.0):
    resolution: {integrity: sha512-x}
    dev: false
`;
  assert.deepEqual(found(lock), ["react-dom 18.2.0"]);
});

test("version 9: what is for development is what no importer needs to run", () => {
  const lock = `lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      react-dom: {specifier: ^18.0.0, version: 18.2.0(react@18.2.0)}
      alias: {specifier: npm:ms@2, version: ms@2.1.3}
    devDependencies:
      vite: {specifier: ^5.0.0, version: 5.2.0}
packages:
  react-dom@18.2.0: {resolution: {integrity: sha512-x}}
  react@18.2.0: {resolution: {integrity: sha512-x}}
  scheduler@0.23.0: {resolution: {integrity: sha512-x}}
  ms@2.1.3: {resolution: {integrity: sha512-x}}
  vite@5.2.0: {resolution: {integrity: sha512-x}}
  '@esbuild/linux-x64@0.20.2': {resolution: {integrity: sha512-x}}
snapshots:
  react-dom@18.2.0(react@18.2.0):
    dependencies: {react: 18.2.0, scheduler: 0.23.0}
  react@18.2.0: {}
  scheduler@0.23.0: {}
  ms@2.1.3: {}
  vite@5.2.0: {optionalDependencies: {'@esbuild/linux-x64': 0.20.2}}
  '@esbuild/linux-x64@0.20.2': {}
`;
  assert.deepEqual(found(lock), [
    "react-dom 18.2.0",
    "react 18.2.0",
    "scheduler 0.23.0",
    "ms 2.1.3",
    "vite 5.2.0 development",
    "@esbuild/linux-x64 0.20.2 development",
  ]);
});

test("a version that nobody knows, and aliases that multiply, are failures", () => {
  assert.equal(inventoryOf({ "pnpm-lock.yaml": "lockfileVersion: 12\n" }).extractors[0]?.state, "failed");
  let bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (let at = 0; at < 9; at++)
    bomb += `${"bcdefghij"[at]}: &${"bcdefghij"[at]} [${`*${"abcdefghi"[at]},`.repeat(9)}]\n`;
  assert.equal(inventoryOf({ "pnpm-lock.yaml": bomb }).extractors[0]?.state, "failed");
});

test("names and versions of a whole lock file", () => {
  assert.deepEqual(
    namesAndVersions(inventoryOf({ "pnpm-lock.yaml": "lockfileVersion: '9.0'\npackages:\n  a@1.0.0: {}\n" })),
    ["a 1.0.0"],
  );
});
