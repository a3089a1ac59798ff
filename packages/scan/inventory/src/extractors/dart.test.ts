import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("pubspec.lock: hosted packages, not the SDK's", () => {
  const text = `packages:
  http:
    dependency: "direct main"
    description: {name: http, url: "https://pub.dev"}
    source: hosted
    version: "1.2.1"
  lints:
    dependency: "direct dev"
    source: hosted
    version: "3.0.0"
  flutter:
    dependency: "direct main"
    source: sdk
    version: "0.0.0"
`;
  const found = inventoryOf({ "pubspec.lock": text });
  assert.deepEqual(namesAndVersions(found), ["http 1.2.1", "lints 3.0.0"]);
  assert.deepEqual(
    found.packages.map(({ development }) => development),
    [false, true],
  );
});
