import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("bun.lock: commas before brackets, places, development", () => {
  const lock = `{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "app",
      "dependencies": { "debug": "^4.3.4", },
      "devDependencies": { "typescript": "^5", },
    },
    "packages/lib": { "name": "lib", "version": "0.1.0", },
  },
  "packages": {
    "debug": ["debug@4.3.4", "", { "dependencies": { "ms": "2.1.2" } }, "sha512-PRWFHuSU3eDtQJPvnNY7Jcket1j0t5OuOsFzPPzsekD52Zl1qUfFIPEiswXqIvHWGVHOgX+7G/vCNNhehwxfkQ=="],
    "ms": ["ms@2.0.0", "", {}, "sha512-x"],
    "debug/ms": ["ms@2.1.2", "", {}, "sha512-y"],
    "typescript": ["typescript@5.4.5", "", { "bin": { "tsc": "bin/tsc" } }, "sha512-z"],
    "lib": ["lib@workspace:packages/lib", {}],
  }
}
`;
  const { packages } = inventoryOf({ "bun.lock": lock });
  assert.deepEqual(namesAndVersions({ packages }), ["debug 4.3.4", "ms 2.0.0", "ms 2.1.2", "typescript 5.4.5"]);
  assert.deepEqual(
    packages.filter(({ development }) => !development).map(({ name, version }) => `${name} ${version}`),
    ["debug 4.3.4", "ms 2.1.2"],
  );
});

test("the binary lock file is a failure that says how to mend it", () => {
  const [status] = inventoryOf({ "bun.lockb": "#!/usr/bin/env bun\nbun-lockfile-format-v0\n" }).extractors;
  assert.match(status?.errors[0]?.message ?? "", /--save-text-lockfile/);
});
