import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("Package.resolved of all versions", () => {
  const pin = { state: { revision: "0123", version: "2.64.0" } };
  const first = JSON.stringify({
    version: 1,
    object: { pins: [{ ...pin, repositoryURL: "git@github.com:apple/swift-nio.git" }] },
  });
  const third = JSON.stringify({ version: 3, pins: [{ ...pin, location: "https://github.com/apple/swift-nio.git" }] });
  for (const text of [first, third]) {
    const found = inventoryOf({ "Package.resolved": text });
    assert.deepEqual(namesAndVersions(found), ["github.com/apple/swift-nio 2.64.0"]);
    assert.equal(found.packages[0]?.purl, "pkg:swift/github.com/apple/swift-nio@2.64.0");
  }
});
