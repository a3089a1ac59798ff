import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

const licences = (metadata: string) =>
  inventoryOf({ "usr/lib/python3/dist-packages/x-1.dist-info/METADATA": metadata }).packages[0]?.licences;

test("wheels, eggs and Debian's single files", () => {
  const metadata = (name: string) =>
    `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n\nVersion: of the description\n`;
  const found = inventoryOf({
    "venv/lib/python3.11/site-packages/a-1.0.dist-info/METADATA": metadata("a"),
    "usr/lib/python3/dist-packages/b-1.0.egg-info/PKG-INFO": metadata("b"),
    "usr/lib/python3/dist-packages/c-1.0.egg-info": metadata("c"),
    "opt/d-1.0-py3.11.egg/EGG-INFO/PKG-INFO": metadata("d"),
    "src/PKG-INFO": metadata("source"),
  });
  assert.deepEqual(namesAndVersions(found), ["a 1.0", "b 1.0", "c 1.0", "d 1.0"]);
});

test("licences: the expression, else classifiers, else the field", () => {
  const start = "Name: x\nVersion: 1\n";
  assert.deepEqual(licences(`${start}License-Expression: MIT OR Apache-2.0\nLicense: see file\n`), [
    "MIT OR Apache-2.0",
  ]);
  assert.deepEqual(
    licences(
      `${start}License: Apache\nClassifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License\n`,
    ),
    ["MIT"],
  );
  assert.deepEqual(licences(`${start}License: BSD 3-Clause\n`), ["BSD-3-Clause"]);
  assert.deepEqual(licences(start), []);
});

test("the name is kept as written, and its package URL is normal", () => {
  const { packages } = inventoryOf({
    "l/site-packages/x.dist-info/METADATA": "Name: Flask_SQLAlchemy\nVersion: 3.1.1\n",
  });
  assert.equal(packages[0]?.name, "Flask_SQLAlchemy");
  assert.equal(packages[0]?.purl, "pkg:pypi/flask-sqlalchemy@3.1.1");
});

test("what Debian's own package owns says so", () => {
  const { packages } = inventoryOf({
    "var/lib/dpkg/status":
      "Package: python3-six\nStatus: install ok installed\nArchitecture: all\nSource: six\nVersion: 1.16.0-4\n",
    "var/lib/dpkg/info/python3-six.list": "/.\n/usr\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n",
    "usr/lib/python3/dist-packages/six-1.16.0.egg-info": "Name: six\nVersion: 1.16.0\n",
    "usr/local/lib/python3.11/site-packages/six-1.15.0.dist-info/METADATA": "Name: six\nVersion: 1.15.0\n",
  });
  const python = packages.filter(({ type }) => type === "pypi");
  assert.deepEqual(
    python.map(({ version, ownedBy }) => [version, ownedBy]),
    [
      ["1.16.0", "pkg:deb/debian/python3-six@1.16.0-4?arch=all&upstream=six"],
      ["1.15.0", null],
    ],
  );
});
