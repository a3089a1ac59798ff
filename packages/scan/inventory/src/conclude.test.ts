import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, inventoryOfLayers } from "./examine-files.ts";

const stanza = (name: string, version: string): string =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`;

test("a package came with the layer from which on the database has it in this version", () => {
  const status = "var/lib/dpkg/status";
  const { packages } = inventoryOfLayers([
    { files: { [status]: stanza("base", "1") + stanza("libx", "1") }, step: "ADD rootfs", origin: "base" },
    { files: { [status]: stanza("base", "1") + stanza("libx", "2") }, step: "RUN apt-get upgrade", origin: "base" },
    { files: {}, step: "ENV A=1" },
    {
      files: { [status]: stanza("base", "1") + stanza("libx", "2") + stanza("new", "3") },
      step: "RUN apt-get install new",
      origin: "application",
    },
  ]);
  assert.deepEqual(
    packages.map(({ name, layer, step, origin }) => [name, layer, step, origin]),
    [
      ["base", "sha256:0", "ADD rootfs", "base"],
      ["libx", "sha256:1", "RUN apt-get upgrade", "base"],
      ["new", "sha256:3", "RUN apt-get install new", "application"],
    ],
  );
});

test("licences of Debian's packages come from their copyright files", () => {
  const { packages } = inventoryOf({
    "var/lib/dpkg/status": stanza("zlib1g", "1") + stanza("bash", "5"),
    "usr/share/doc/zlib1g/copyright":
      "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: Zlib\n\nFiles: debian/*\nLicense: GPL-2+ or Expat\n",
    "usr/share/doc/bash/copyright": "the GNU GPL can be found in `/usr/share/common-licenses/GPL-3'.\n",
  });
  assert.deepEqual(
    packages.map(({ name, licences }) => [name, licences]),
    [
      ["zlib1g", ["Zlib", "GPL-2.0-or-later", "MIT"]],
      ["bash", ["GPL-3.0-only"]],
    ],
  );
});

test("Arch: desc and files", () => {
  const { packages } = inventoryOf({
    "var/lib/pacman/local/glibc-2.39-2/desc":
      "%NAME%\nglibc\n\n%VERSION%\n2.39-2\n\n%BASE%\nglibc\n\n%ARCH%\nx86_64\n\n%LICENSE%\nGPL-2.0-or-later\nLGPL-2.1-or-later\n",
    "var/lib/pacman/local/glibc-2.39-2/files": "%FILES%\nusr/\nusr/lib/libc.so\n",
    "etc/os-release": "ID=arch\nNAME=Arch\n",
  });
  assert.deepEqual(
    packages.map(({ purl, licences }) => [purl, licences]),
    [["pkg:alpm/arch/glibc@2.39-2?arch=x86_64&distro=arch", ["GPL-2.0-or-later", "LGPL-2.1-or-later"]]],
  );
});

test("the distribution from the files that were there before os-release", () => {
  const os = (files: Record<string, string>) => inventoryOf(files).os;
  const name = "CentOS release 6.10 (Final)";
  assert.deepEqual(os({ "etc/redhat-release": `${name}\n` }), { id: "centos", version: "6.10", name });
  assert.equal(os({ "etc/centos-release": "CentOS Linux release 7.9.2009 (Core)\n" })?.version, "7.9.2009");
  assert.equal(os({ "etc/redhat-release": "Red Hat Enterprise Linux Server release 6.9 (Santiago)\n" })?.id, "rhel");
  assert.equal(os({ "etc/lsb-release": "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\n" })?.version, "14.04");
  assert.equal(os({ "etc/debian_version": "trixie/sid\n" })?.version, "sid");
  assert.equal(os({ "usr/lib/os-release": "ID=wolfi\nVERSION_ID=20230201\n" })?.id, "wolfi");
});
