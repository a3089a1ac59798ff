import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("go.mod: blocks and lines, replacements, the toolchain", () => {
  const text = `module example.com/app

go 1.21

toolchain go1.21.8

require github.com/gin-gonic/gin v1.9.1 // direct
require (
	golang.org/x/net v0.17.0 // indirect
	example.com/fork v1.0.0
	example.com/local v1.0.0
)

replace (
	example.com/fork => github.com/other/fork v1.0.1
	golang.org/x/net v0.16.0 => golang.org/x/net v0.99.0
)
replace example.com/local => ./local
exclude golang.org/x/net v0.15.0
`;
  assert.deepEqual(namesAndVersions(inventoryOf({ "go.mod": text })), [
    "github.com/gin-gonic/gin v1.9.1",
    "github.com/other/fork v1.0.1",
    "golang.org/x/net v0.17.0",
    "stdlib 1.21.8",
  ]);
});

test("go.sum counts only beside a go.mod that does not say all", () => {
  const sum = `golang.org/x/text v0.3.0/go.mod h1:x=
golang.org/x/text v0.3.7 h1:y=
golang.org/x/text v0.3.7/go.mod h1:z=
`;
  assert.deepEqual(namesAndVersions(inventoryOf({ "a/go.mod": "module a\ngo 1.16\n", "a/go.sum": sum })), [
    "golang.org/x/text v0.3.7",
  ]);
  assert.deepEqual(namesAndVersions(inventoryOf({ "a/go.mod": "module a\ngo 1.22.0\n", "a/go.sum": sum })), []);
});

test("the package URL has the path of the module as its namespace", () => {
  const { packages } = inventoryOf({ "go.mod": "module a\nrequire github.com/gin-gonic/gin v1.9.1\n" });
  assert.equal(packages[0]?.purl, "pkg:golang/github.com/gin-gonic/gin@v1.9.1");
});
