import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("installed packages of R, and renv.lock", () => {
  const text =
    "Package: ggplot2\nVersion: 3.5.0\nLicense: MIT + file LICENSE\nBuilt: R 4.3.3; ; 2024-03-01 12:00:00 UTC; unix\n";
  const { packages } = inventoryOf({
    "usr/local/lib/R/site-library/ggplot2/DESCRIPTION": text,
    "src/mine/DESCRIPTION": "Package: mine\nVersion: 0.1\n",
  });
  assert.deepEqual(
    packages.map(({ purl, licences }) => [purl, licences]),
    [["pkg:cran/ggplot2@3.5.0", ["MIT"]]],
  );
  const lock = JSON.stringify({ R: { Version: "4.3.3" }, Packages: { rlang: { Package: "rlang", Version: "1.1.3" } } });
  assert.deepEqual(namesAndVersions(inventoryOf({ "renv.lock": lock })), ["rlang 1.1.3"]);
});
