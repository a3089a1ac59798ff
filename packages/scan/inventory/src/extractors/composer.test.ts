import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("composer.lock and installed.json of both versions", () => {
  const entry = { name: "Symfony/Console", version: "v6.4.4", license: ["MIT"] };
  const test = { name: "phpunit/phpunit", version: "10.5.13" };
  const { packages } = inventoryOf({ "composer.lock": JSON.stringify({ packages: [entry], "packages-dev": [test] }) });
  assert.deepEqual(
    packages.map(({ purl, development, licences }) => [purl, development, licences]),
    [
      ["pkg:composer/symfony/console@v6.4.4", false, ["MIT"]],
      ["pkg:composer/phpunit/phpunit@10.5.13", true, []],
    ],
  );
  const second = JSON.stringify({ packages: [entry, test], "dev-package-names": ["phpunit/phpunit"] });
  const installed = inventoryOf({ "app/vendor/composer/installed.json": second });
  assert.deepEqual(
    installed.packages.map(({ development }) => development),
    [false, true],
  );
  const first = inventoryOf({ "app/vendor/composer/installed.json": JSON.stringify([entry]) });
  assert.deepEqual(namesAndVersions(first), ["symfony/console v6.4.4"]);
});
