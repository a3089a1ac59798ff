import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("conda-meta and conda-lock", () => {
  const { packages } = inventoryOf({
    "opt/conda/conda-meta/numpy-1.26.4-py311h64a7726_0.json": JSON.stringify({
      name: "numpy",
      version: "1.26.4",
      build: "py311h64a7726_0",
      license: "BSD-3-Clause",
      subdir: "linux-64",
    }),
    "opt/conda/conda-meta/history": "==> 2024-01-01 <==\n",
  });
  assert.deepEqual(
    packages.map(({ purl, licences, architecture }) => [purl, licences, architecture]),
    [["pkg:conda/numpy@1.26.4", ["BSD-3-Clause"], "linux-64"]],
  );
  const lock = `version: 1
package:
- {name: openssl, version: 3.2.1, manager: conda, platform: linux-64, category: main}
- {name: pytest, version: 8.1.1, manager: pip, platform: linux-64, category: dev}
`;
  const found = inventoryOf({ "conda-lock.yml": lock });
  assert.deepEqual(namesAndVersions(found), ["openssl 3.2.1", "pytest 8.1.1"]);
  assert.deepEqual(
    found.packages.map(({ type, development }) => [type, development]),
    [
      ["conda", false],
      ["pypi", true],
    ],
  );
});
