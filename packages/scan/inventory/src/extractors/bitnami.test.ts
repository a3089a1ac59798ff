import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("Bitnami: the component and what is in it, not its sources", () => {
  const text = JSON.stringify({
    spdxVersion: "SPDX-2.3",
    packages: [
      {
        name: "postgresql",
        versionInfo: "16.2.0-1",
        licenseConcluded: "PostgreSQL",
        externalRefs: [
          {
            referenceCategory: "PACKAGE-MANAGER",
            referenceType: "purl",
            referenceLocator: "pkg:bitnami/postgresql@16.2.0-1?arch=amd64&distro=debian-12",
          },
        ],
      },
      { name: "src", externalRefs: [{ referenceType: "purl", referenceLocator: "pkg:github/postgres/postgres@16" }] },
    ],
  });
  const found = inventoryOf({ "opt/bitnami/postgresql/.spdx-postgresql.spdx": text });
  assert.deepEqual(namesAndVersions(found), ["postgresql 16.2.0-1"]);
  assert.deepEqual(found.packages[0]?.licences, ["PostgreSQL"]);
});
