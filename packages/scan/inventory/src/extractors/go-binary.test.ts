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

test("a module that another takes the place of is that other one; a folder in its place has no version", () => {
  // As `go build` writes it, Go 1.26.
  const info = [
    "path\texample.com/app",
    "mod\texample.com/app\t(devel)\t",
    "dep\tgolang.org/x/net\tv0.17.0\t",
    "=>\texample.com/net\tv0.18.0\th1:x=",
    "dep\tk8s.io/apiserver\tv0.0.0\t",
    "=>\t./staging/src/k8s.io/apiserver\t(devel)\t",
    "dep\texample.com/old\tv1.2.3\t",
    "=>\t/src/old\t\t",
  ].join("\n");
  const { packages } = inventoryOf({ "usr/bin/app": goProgramOf("go1.26.8", info) });
  assert.deepEqual(packages.map(({ name, version }) => `${name} ${version}`).toSorted(), [
    "example.com/app (devel)",
    "example.com/net v0.18.0",
    "example.com/old (devel)",
    "k8s.io/apiserver (devel)",
    "stdlib 1.26.8",
  ]);
});
