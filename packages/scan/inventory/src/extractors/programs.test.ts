import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { inventoryOf, namesAndVersions, type Files } from "../examine-files.ts";
import { elfOf, goProgramOf } from "../formats/elf-of.ts";

const go = goProgramOf(
  "go1.22.1 X:nocoverageredesign",
  [
    "path\texample.com/app",
    "mod\texample.com/app\t(devel)\t",
    "dep\tgolang.org/x/net\tv0.17.0\th1:x=",
    "dep\texample.com/old\tv1.0.0",
    "=>\texample.com/new\tv1.1.0\th1:y=",
    "dep\texample.com/here\tv1.0.0",
    "=>\t./here\t",
    'build\t-ldflags="-s -w -X main.version=2.3.4"',
  ].join("\n"),
);

test("Go: modules, replacements, the standard library, a version that was linked in", () => {
  assert.deepEqual(namesAndVersions(inventoryOf({ "usr/bin/app": go })), [
    "example.com/app v2.3.4",
    "example.com/here (devel)",
    "example.com/new v1.1.0",
    "golang.org/x/net v0.17.0",
    "stdlib 1.22.1",
  ]);
});

const audit = {
  packages: [
    { name: "app", version: "0.1.0", source: "local", root: true, dependencies: [1] },
    { name: "serde", version: "1.0.197", source: "crates.io" },
    { name: "cc", version: "1.0.90", source: "crates.io", kind: "build" },
  ],
};
const rust = elfOf({ ".dep-v0": deflateSync(JSON.stringify(audit)) });

test("Rust: what cargo auditable wrote; what only building needs is for development", () => {
  const { packages } = inventoryOf({ "usr/bin/app": rust });
  assert.deepEqual(
    packages.map(({ purl, development }) => [purl, development]),
    [
      ["pkg:cargo/app@0.1.0", false],
      ["pkg:cargo/serde@1.0.197", false],
      ["pkg:cargo/cc@1.0.90", true],
    ],
  );
});

test("Cargo.lock: what has no source is the project's own", () => {
  const lock = `version = 3
[[package]]
name = "app"
version = "0.1.0"
[[package]]
name = "serde"
version = "1.0.197"
source = "registry+https://github.com/rust-lang/crates.io-index"
`;
  assert.deepEqual(namesAndVersions(inventoryOf({ "Cargo.lock": lock })), ["serde 1.0.197"]);
});

test("well-known programs by their own bytes, under their names only", () => {
  const program = (text: string): Buffer => elfOf({ ".rodata": Buffer.from(`padding\0${text}\0more`, "latin1") });
  // Texts as they stand in builds of Debian and of the makers.
  const files: [path: string, text: string, answer: string][] = [
    ["usr/local/bin/node", "https://nodejs.org/download/release/v20.11.1/node.js/v20.11.1", "node 20.11.1"],
    ["usr/local/lib/libpython3.11.so.1.0", "x\x003.11.8\0y", "python 3.11.8"],
    ["usr/lib/libcrypto.so.1.1", "OpenSSL 1.1.1w  11 Sep 2023", "openssl 1.1.1w"],
    ["usr/lib/libcrypto.so.3", "OpenSSL 3.0.13 30 Jan 2024", "openssl 3.0.13"],
    ["bin/busybox", "BusyBox v1.36.1 (2023-11-07 18:53:09 UTC)", "busybox 1.36.1"],
    ["usr/sbin/nginx", "nginx version: nginx/1.25.4", "nginx 1.25.4"],
    ["usr/local/bin/redis-server", "7.2.4buildkitsandbox-1706000000000000000", "redis 7.2.4"],
    ["usr/local/bin/php", "X-Powered-By: PHP/8.3.3", "php 8.3.3"],
    ["usr/local/bin/ruby", "ruby 3.3.0 (2023-12-25 revision 5124f9ac75) [x86_64-linux]", "ruby 3.3.0"],
    ["usr/lib/postgresql/16/bin/postgres", "postgres (PostgreSQL) 16.2 (Debian 16.2-1.pgdg120+2)", "postgresql 16.2"],
    ["usr/local/apache2/bin/httpd", "Apache/2.4.58 (Unix)", "httpd 2.4.58"],
    ["usr/sbin/mariadbd", "11.3.2-MariaDB-1:11.3.2+maria~ubu2204", "mariadb 11.3.2"],
  ];
  for (const [path, text, answer] of files)
    assert.deepEqual(namesAndVersions(inventoryOf({ [path]: program(text) })), [answer], path);
  assert.deepEqual(namesAndVersions(inventoryOf({ "usr/bin/other": program("BusyBox v1.36.1") })), []);
});

test("Node that runs this test is recognised", () => {
  const { packages } = inventoryOf({ "usr/local/bin/node": readFileSync(process.execPath) });
  assert.deepEqual(namesAndVersions({ packages }), [`node ${process.versions.node}`]);
  assert.equal(packages[0]?.purl, `pkg:generic/node@${process.versions.node}`);
});

test("a program that a package owns is that package's, not told twice", () => {
  const files: Files = {
    "bin/busybox": elfOf({ ".rodata": Buffer.from("BusyBox v1.36.1 (x)\0") }),
    "lib/apk/db/installed": "P:busybox\nV:1.36.1-r29\nA:x86_64\nF:bin\nR:busybox\n",
  };
  assert.deepEqual(namesAndVersions(inventoryOf(files)), ["busybox 1.36.1-r29"]);
});

test("Java's and Go's homes tell their versions", () => {
  const files = {
    "opt/java/openjdk/release": 'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_VERSION="17.0.10"\nOS_ARCH="x86_64"\n',
    "usr/local/go/VERSION": "go1.22.1\ntime 2024-02-29T18:18:48Z\n",
    "etc/release": "something else\n",
  };
  assert.deepEqual(namesAndVersions(inventoryOf(files)), ["go 1.22.1", "openjdk 17.0.10"]);
});
