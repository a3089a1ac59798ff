import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Inventory } from "@bulwark/model";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { inventoryOfLayers } from "../examine-files.ts";
import { readSbom, SbomError, toCycloneDx, toSpdx, type SbomDocument } from "../index.ts";

const inventory: Inventory = inventoryOfLayers([
  {
    files: {
      "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
      "var/lib/dpkg/status":
        "Package: libgcc-s1\nStatus: install ok installed\nArchitecture: amd64\nSource: gcc-12 (12.2.0-14)\nVersion: 1:12.2.0-14+b1\n\nPackage: broken\nStatus: install ok installed\n",
      "usr/share/doc/libgcc-s1/copyright":
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nLicense: GPL-3+\nLicense: something of its own\n",
    },
    step: "ADD rootfs.tar /",
    origin: "base",
  },
  {
    files: {
      "app/package-lock.json": JSON.stringify({
        lockfileVersion: 3,
        packages: {
          "node_modules/@babel/core": { version: "7.24.0", license: "(MIT OR Apache-2.0)", dev: true },
          "node_modules/ms": { version: "2.1.3", license: "MIT" },
        },
      }),
      "opt/redis-server": "",
      "l/site-packages/x.dist-info/METADATA": "Name: Flask_SQLAlchemy\nVersion: 3.1.1\n",
    },
    step: "COPY . /app",
    origin: "application",
  },
]);
const document: SbomDocument = {
  subject: { name: "registry.example/app:1", digest: `sha256:${"0".repeat(64)}`, kind: "image" },
  inventory,
  createdAt: "2026-01-02T03:04:05.678Z",
  tool: { name: "bulwark", version: "0.1.0" },
};

for (const [form, convert] of Object.entries({ CycloneDX: toCycloneDx, SPDX: toSpdx })) {
  const write = (document: SbomDocument): string => JSON.stringify(convert(document));
  test(`${form}: read back, it is the same inventory to the last field, with what could not be read`, () => {
    const { name, digest, inventory: read } = readSbom(Buffer.from(write(document)));
    assert.ok(inventory.packages.length >= 4);
    assert.deepEqual(read.packages, inventory.packages);
    assert.deepEqual(read.os, inventory.os);
    assert.deepEqual([name, digest], [document.subject.name, document.subject.digest]);
    assert.deepEqual(read.extractors, [
      { extractor: "sbom", state: "done", errors: [] },
      ...inventory.extractors.filter(({ state }) => state !== "done"),
    ]);
  });

  test(`${form}: the same inventory gives the same bytes`, () => {
    assert.equal(write(document), write(structuredClone(document)));
  });
}

/** What the official schema of a version of CycloneDX says is wrong; null where nothing is. */
function wrongIn(version: string, written: object): unknown {
  const folder = join(
    dirname(fileURLToPath(import.meta.resolve("@cyclonedx/cyclonedx-library/package.json"))),
    "res/schema",
  );
  const schema = (name: string): object => JSON.parse(readFileSync(join(folder, name), "utf8")) as object;
  const ajv = new Ajv({ strict: false, validateFormats: true });
  formats.default(ajv);
  ajv.addFormat("iri-reference", true).addFormat("idn-email", true);
  for (const name of ["spdx", "jsf-0.82", "cryptography-defs"])
    ajv.addSchema(schema(`${name}.SNAPSHOT.schema.json`), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  const validate = ajv.compile(schema(`bom-${version}.SNAPSHOT.schema.json`));
  validate(JSON.parse(JSON.stringify(written)));
  return validate.errors;
}

test("CycloneDX is valid by its schema", () => {
  assert.deepEqual(wrongIn("1.6", toCycloneDx(document)), null);
});

for (const version of ["1.4", "1.5", "1.6", "1.7"]) {
  test(`CycloneDX ${version}: components within components, an expression, a licence by name`, () => {
    const written = {
      ...{ bomFormat: "CycloneDX", specVersion: version, version: 1 },
      metadata: {
        // A list until 1.4, components since.
        tools: version === "1.4" ? [{ name: "x", version: "1" }] : { components: [{ type: "application", name: "x" }] },
        component: { type: "container", name: "shop", version: "1" },
      },
      components: [
        { type: "operating-system", name: "alpine", version: "3.20.3" },
        {
          ...{ type: "framework", "bom-ref": "a", group: "@babel", name: "core", version: "7.24.0" },
          ...{ purl: "pkg:npm/%40babel/core@7.24.0", licenses: [{ expression: "(MIT OR Apache-2.0)" }] },
          components: [
            {
              type: "library",
              name: "ms",
              version: "2.1.3",
              purl: "pkg:npm/ms@2.1.3",
              licenses: [{ license: { id: "MIT" } }],
            },
          ],
        },
        {
          type: "library",
          name: "busybox",
          version: "1.36.1-r29",
          purl: "pkg:apk/alpine/busybox@1.36.1-r29?distro=alpine-3.20.3",
        },
      ],
    };
    assert.deepEqual(wrongIn(version, written), null);
    const { name, inventory: read } = readSbom(Buffer.from(JSON.stringify(written)));
    assert.equal(name, "shop");
    assert.deepEqual([read.os?.id, read.os?.version], ["alpine", "3.20"]);
    assert.deepEqual(read.packages.map((item) => `${item.name} ${item.version} ${item.licences.join()}`).toSorted(), [
      "@babel/core 7.24.0 (MIT OR Apache-2.0)",
      "busybox 1.36.1-r29 ",
      "ms 2.1.3 MIT",
    ]);
  });
}

test("SPDX 2.3 has what its specification demands of every element", () => {
  const spdx = JSON.parse(JSON.stringify(toSpdx(document))) as Record<string, unknown> & {
    packages: Record<string, unknown>[];
    relationships: Record<string, string>[];
  };
  for (const key of ["spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo"])
    assert.ok(spdx[key], key);
  assert.match((spdx["creationInfo"] as { created: string }).created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const ids = new Set(["SPDXRef-DOCUMENT", ...spdx.packages.map((item) => String(item["SPDXID"]))]);
  assert.equal(ids.size, spdx.packages.length + 1);
  for (const item of spdx.packages)
    assert.ok(item["name"] && item["downloadLocation"] && /^SPDXRef-[\w.-]+$/.test(String(item["SPDXID"])));
  for (const { spdxElementId = "", relatedSpdxElement = "" } of spdx.relationships)
    assert.ok(ids.has(spdxElementId) && ids.has(relatedSpdxElement));
});

test("what Syft writes: distribution, epoch, source and place", () => {
  const syft = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    metadata: { component: { type: "container", name: "app" } },
    components: [
      {
        type: "library",
        name: "bind-libs",
        version: "32:9.16.23-14.el9",
        purl: "pkg:rpm/rhel/bind-libs@9.16.23-14.el9?arch=x86_64&distro=rhel-9.3&epoch=32&upstream=bind-9.16.23-14.el9.src.rpm",
        licenses: [{ license: { name: "MPLv2.0" } }],
        properties: [{ name: "syft:location:0:path", value: "/var/lib/rpm/rpmdb.sqlite" }],
        components: [
          { type: "library", name: "core", group: "@babel", version: "7.0.0", purl: "pkg:npm/%40babel/core@7.0.0" },
        ],
      },
      { type: "file", name: "/etc/passwd" },
      { type: "library", name: "odd", version: "1", purl: "pkg:odd/odd@1" },
    ],
  };
  const { inventory: read } = readSbom(Buffer.from(JSON.stringify(syft)));
  assert.deepEqual(read.os, { id: "rhel", version: "9.3", name: "rhel 9.3" });
  assert.deepEqual(
    read.packages.map(({ name, version, source, licences, location }) => ({
      name,
      version,
      source,
      licences,
      location,
    })),
    [
      {
        name: "bind-libs",
        version: "32:9.16.23-14.el9",
        source: { name: "bind", version: "32:9.16.23-14.el9" },
        licences: ["MPL-2.0"],
        location: "/var/lib/rpm/rpmdb.sqlite",
      },
      {
        name: "@babel/core",
        version: "7.0.0",
        source: { name: "@babel/core", version: "7.0.0" },
        licences: [],
        location: "",
      },
    ],
  );
  assert.deepEqual(read.extractors[0]?.errors, [{ path: "odd", message: "packages of type odd are not known" }]);
});

test("what Trivy writes: the source in properties, in an in-toto statement", () => {
  const predicate = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    components: [
      { type: "operating-system", name: "debian", version: "12" },
      {
        type: "library",
        name: "libssl3",
        version: "3.0.11-1~deb12u2",
        purl: "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12.5",
        properties: [
          { name: "aquasecurity:trivy:SrcName", value: "openssl" },
          { name: "aquasecurity:trivy:SrcVersion", value: "3.0.11" },
          { name: "aquasecurity:trivy:SrcRelease", value: "1~deb12u2" },
        ],
      },
    ],
  };
  const { inventory: read } = readSbom(
    Buffer.from(JSON.stringify({ predicateType: "https://cyclonedx.org/bom", predicate })),
  );
  assert.equal(read.os?.version, "12");
  assert.deepEqual(read.packages[0]?.source, { name: "openssl", version: "3.0.11-1~deb12u2" });
});

test("a distribution is told in the words of os-release, whoever wrote the document", () => {
  for (const [name, version, expected] of [
    ["debian", "12.5", "debian 12"],
    ["debian", "sid", "debian sid"],
    ["alpine", "3.20.3", "alpine 3.20"],
    ["ubuntu", "24.04", "ubuntu 24.04"],
    ["redhat", "9.4", "rhel 9.4"],
    ["amazon", "2 (Karoo)", "amzn 2"],
    ["opensuse.leap", "15.6", "opensuse-leap 15.6"],
  ] as const) {
    const components = [{ type: "operating-system", name, version }];
    const { os } = readSbom(Buffer.from(JSON.stringify({ bomFormat: "CycloneDX", components }))).inventory;
    assert.equal(`${os?.id ?? ""} ${os?.version ?? ""}`, expected);
  }
  const { os } = readSbom(Buffer.from("pkg:apk/alpine/busybox@1.36.1-r15?distro=alpine-3.19.1\n")).inventory;
  assert.equal(os?.version, "3.19");
});

test("SPDX 3.0: elements and their licences by relationship", () => {
  const spdx = {
    "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
    "@graph": [
      { type: "SpdxDocument", spdxId: "urn:d", name: "app" },
      {
        type: "software_Package",
        spdxId: "urn:p",
        name: "serde",
        software_packageVersion: "1.0.197",
        software_packageUrl: "pkg:cargo/serde@1.0.197",
      },
      {
        type: "simplelicensing_LicenseExpression",
        spdxId: "urn:l",
        simplelicensing_licenseExpression: "MIT OR Apache-2.0",
      },
      { type: "Relationship", spdxId: "urn:r", from: "urn:p", to: ["urn:l"], relationshipType: "hasDeclaredLicense" },
    ],
  };
  const { name, inventory: read } = readSbom(Buffer.from(JSON.stringify(spdx)));
  assert.equal(name, "app");
  assert.deepEqual(
    read.packages.map(({ purl, licences }) => [purl, licences]),
    [["pkg:cargo/serde@1.0.197", ["MIT OR Apache-2.0"]]],
  );
});

test("package URLs, one a line", () => {
  const { inventory: read } = readSbom(
    Buffer.from("# comment\npkg:npm/lodash@4.17.20\n\npkg:apk/alpine/busybox@1.36.1-r15?distro=alpine-3.19\npkg:npm\n"),
  );
  assert.deepEqual(
    read.packages.map(({ name, version }) => `${name} ${version}`),
    ["lodash 4.17.20", "busybox 1.36.1-r15"],
  );
  assert.equal(read.os?.id, "alpine");
  assert.equal(read.extractors[0]?.errors[0]?.path, "line 5");
});

test("what is no bill of materials says what would be one", () => {
  for (const text of ["", "hello", "{}", '{"bomFormat": "Cyclo', "[]"])
    assert.throws(
      () => readSbom(Buffer.from(text)),
      (error) => error instanceof SbomError && /package URLs/.test(error.remedy ?? ""),
    );
});
