import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf } from "../examine-files.ts";
import { goProgramOf } from "../formats/elf-of.ts";

function mainVersionOf(version: string, ...settings: string[]): string | undefined {
  const info = ["path\texample.com/app", `mod\texample.com/app\t${version}\t`, ...settings].join("\n");
  const { packages } = inventoryOf({ "usr/bin/app": goProgramOf("go1.24.0", info) });
  return packages.find(({ name }) => name === "example.com/app")?.version;
}

test("the version of a program is that of its tag, or what it was told at linking; one without either is not older than all releases", () => {
  const flags = 'build\t-ldflags="-s -X main.version=v2.3.4"';
  for (const [version, settings, expected] of [
    ["v1.4.2", [], "v1.4.2"],
    ["v1.4.3-0.20240102030405-0123456789ab", [], "v1.4.3-0.20240102030405-0123456789ab"],
    ["(devel)", [], "(devel)"],
    ["(devel)", [flags], "v2.3.4"],
    ["v0.0.0-20240102030405-0123456789ab", [], "(devel)"],
    ["v0.0.0-20240102030405-0123456789ab+dirty", [flags], "v2.3.4"],
  ] as const) {
    assert.equal(mainVersionOf(version, ...settings), expected, version);
  }
});
