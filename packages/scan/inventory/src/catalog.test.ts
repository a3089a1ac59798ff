import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { openImage } from "@bulwark/image";
import { debianArchive, missing, run } from "@bulwark/testkit";
import type { Inventory } from "@bulwark/model";
import { catalog } from "./catalog.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-inventory-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function scan(files: Record<string, string>): Promise<Inventory> {
  const root = mkdtempSync(join(folder, "root-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  await using tree = await openImage(root);
  return catalog(tree);
}
const debian = { "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n' };

test("Debian: installed packages with their source, and nothing that is only configured", async () => {
  const { os, packages, extractors } = await scan({
    ...debian,
    "var/lib/dpkg/status": `Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.36-9+deb12u4
Description: GNU C Library
 Package: not-a-field

Package: gone
Status: deinstall ok config-files
Version: 1

Package: libgcc-s1
Status: install ok installed
Architecture: amd64
Source: gcc-12 (12.2.0-14)
Version: 1:12.2.0-14+b1
`,
  });
  assert.deepEqual(os, { id: "debian", version: "12", name: "Debian GNU/Linux 12 (bookworm)" });
  assert.deepEqual(
    packages.map(({ name, version, source, purl }) => [name, version, source, purl]),
    [
      [
        "libc6",
        "2.36-9+deb12u4",
        { name: "glibc", version: "2.36-9+deb12u4" },
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc",
      ],
      [
        "libgcc-s1",
        "1:12.2.0-14+b1",
        { name: "gcc-12", version: "12.2.0-14" },
        "pkg:deb/debian/libgcc-s1@1:12.2.0-14%2Bb1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14",
      ],
    ],
  );
  assert.deepEqual(extractors, [{ extractor: "dpkg", state: "done", errors: [] }]);
});

test("an image without a package manager lists its packages in status.d", async () => {
  const { packages } = await scan({
    ...debian,
    "var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
    "var/lib/dpkg/status.d/base.md5sums": "abc  /etc/x\n",
  });
  assert.deepEqual(
    packages.map(({ name }) => name),
    ["base-files"],
  );
});

test("Alpine: the origin is the source, the branch is the release", async () => {
  const { os, packages } = await scan({
    "etc/os-release": 'ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n',
    "lib/apk/db/installed":
      "C:Q1x=\nP:libcrypto3\nV:3.3.2-r0\nA:x86_64\nL:Apache-2.0\no:openssl\nF:lib\nR:libcrypto.so.3\n\nP:busybox\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only\n",
  });
  assert.equal(os?.version, "3.20");
  assert.deepEqual(
    packages.map(({ name, source, purl }) => [name, source.name, purl]),
    [
      ["libcrypto3", "openssl", "pkg:apk/alpine/libcrypto3@3.3.2-r0?arch=x86_64&distro=alpine-3.20&upstream=openssl"],
      ["busybox", "busybox", "pkg:apk/alpine/busybox@1.36.1-r29?arch=x86_64&distro=alpine-3.20"],
    ],
  );
});

test("the distribution is found without os-release", async () => {
  assert.deepEqual((await scan({ "etc/alpine-release": "3.19.1\n" })).os?.version, "3.19");
  assert.deepEqual((await scan({ "etc/debian_version": "12.5\n" })).os, {
    id: "debian",
    version: "12",
    name: "Debian GNU/Linux 12.5",
  });
  assert.equal((await scan({ "etc/hostname": "x" })).os, null);
});

test("a broken part is said, and the rest counts", async () => {
  const { packages, extractors } = await scan({
    ...debian,
    "var/lib/dpkg/status":
      "Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: install ok installed\n",
  });
  assert.deepEqual(
    packages.map(({ name }) => name),
    ["a"],
  );
  assert.equal(extractors[0]?.state, "partial");
  assert.match(extractors[0]?.errors[0]?.message ?? "", /without a version: b/);
});

test(
  "the same packages as dpkg-query sees in a Debian of mmdebstrap",
  { skip: missing("root", "mmdebstrap") },
  async () => {
    const root = join(folder, "debian");
    mkdirSync(root);
    run("tar", ["-C", root, "-xf", debianArchive("bookworm")]);
    const oracle = run("dpkg-query", [
      "--admindir",
      join(root, "var/lib/dpkg"),
      "-W",
      "-f",
      "${db:Status-Status} ${Package} ${Version} ${source:Package} ${source:Version}\n",
    ])
      .trim()
      .split("\n")
      .filter((line) => line.startsWith("installed "))
      .map((line) => line.slice("installed ".length))
      .sort();
    await using tree = await openImage(root);
    const { os, packages } = await catalog(tree);
    const found = packages
      .map(({ name, version, source }) => `${name} ${version} ${source.name} ${source.version}`)
      .sort();
    assert.deepEqual(found, oracle);
    assert.ok(oracle.length > 50);
    assert.equal(os?.version, "12");
  },
);
