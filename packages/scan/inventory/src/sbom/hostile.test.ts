import assert from "node:assert/strict";
import { test } from "node:test";
import { inventory as schema } from "@bulwark/model";
import { damaged, fuzzing } from "@bulwark/testkit";
import fc from "fast-check";
import { readSbom, SbomError } from "./index.ts";

const purl = "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl@3.0.11-1";
const cycloneDx = {
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  metadata: { component: { type: "container", name: "app", "bom-ref": "app" } },
  components: [
    { type: "operating-system", name: "debian", version: "12" },
    {
      type: "library",
      name: "libssl3",
      version: "3.0.11-1",
      purl,
      licenses: [{ expression: "Apache-2.0" }],
      properties: [{ name: "aquasecurity:trivy:SrcName", value: "openssl" }],
      components: [{ type: "library", group: "@babel", name: "core", version: "7", purl: "pkg:npm/%40babel/core@7" }],
    },
  ],
};
const spdx2 = {
  spdxVersion: "SPDX-2.3",
  name: "app",
  packages: [
    {
      SPDXID: "SPDXRef-1",
      name: "libssl3",
      versionInfo: "3.0.11-1",
      licenseDeclared: "Apache-2.0",
      externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
    },
  ],
};
const spdx3 = {
  "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
  "@graph": [
    { type: "SpdxDocument", spdxId: "urn:d", name: "app" },
    {
      type: "software_Package",
      spdxId: "urn:1",
      name: "libssl3",
      software_packageVersion: "3",
      software_packageUrl: purl,
    },
    { type: "Relationship", relationshipType: "hasDeclaredLicense", from: "urn:1", to: ["urn:l"] },
    { type: "simplelicensing_LicenseExpression", spdxId: "urn:l", simplelicensing_licenseExpression: "Apache-2.0" },
  ],
};
const envelope = {
  payloadType: "application/vnd.in-toto+json",
  payload: Buffer.from(JSON.stringify({ predicateType: "https://cyclonedx.org/bom", predicate: cycloneDx })).toString(
    "base64",
  ),
};
const documents = { CycloneDX: cycloneDx, "SPDX 2": spdx2, "SPDX 3": spdx3, "in-toto": envelope };
const texts = Object.entries(documents).map(([form, document]) => [form, JSON.stringify(document)] as const);

for (const [form, text] of [...texts, ["package URLs", `# two\n${purl}\npkg:npm/ms@2.1.3\n`] as const]) {
  test(`${form}: whatever is done to it, there is an inventory that a report may hold, or an error of ours`, () => {
    assert.ok(readSbom(Buffer.from(text)).inventory.packages.length > 0);
    fc.assert(
      fc.property(damaged(Buffer.from(text)), (bytes) => {
        try {
          schema.parse(readSbom(bytes).inventory);
        } catch (error) {
          assert.ok(error instanceof SbomError, String(error));
        }
      }),
      fuzzing(200),
    );
  });
}

test("a statement in a statement in a statement, ten thousand deep, is no bill of materials", () => {
  const deep = `${'{"predicate":'.repeat(10_000)}{}${"}".repeat(10_000)}`;
  assert.throws(() => readSbom(Buffer.from(deep)), SbomError);
});

test("an envelope with something else in it is no bill of materials", () => {
  const other = { ...envelope, payload: Buffer.from("no JSON").toString("base64") };
  assert.throws(() => readSbom(Buffer.from(JSON.stringify(other))), SbomError);
});

test("components nested deeper than is looked at are told, not left out in silence", () => {
  let component: object = { type: "library", name: "deepest", purl: "pkg:npm/deepest@1.0.0" };
  for (let depth = 0; depth < 100; depth++)
    component = { type: "library", name: `at-${depth}`, components: [component] };
  const { inventory } = readSbom(Buffer.from(JSON.stringify({ ...cycloneDx, components: [component] })));
  assert.deepEqual(inventory.packages, []);
  const [, nested] = inventory.extractors;
  assert.equal(nested?.state, "partial");
  assert.match(nested.errors[0]?.message ?? "", /more than 64 deep/);
});
