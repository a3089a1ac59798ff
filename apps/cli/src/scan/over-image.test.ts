import assert from "node:assert/strict";
import { test } from "node:test";
import type { Seen } from "@bulwark/examine";
import { plainPackage, type InstalledPackage, type Secret } from "@bulwark/model";
import { overImage } from "./over-image.ts";

function packageOf(name: string, version: string, change: Partial<InstalledPackage> = {}): InstalledPackage {
  return {
    ...{ ...plainPackage, type: "npm", name, version, architecture: "", source: { name, version } },
    ...{ purl: `pkg:npm/${name}@${version}`, licences: [], location: `/app/node_modules/${name}`, layer: null },
    ...change,
  };
}

function secretOf(location: string, fingerprint: string, change: Partial<Secret> = {}): Secret {
  return {
    ...{ kind: "k", title: "t", severity: "high", location, line: 1, masked: "a***", fingerprint, layer: null },
    ...{ step: null, removed: false, remedy: "" },
    ...change,
  };
}

function seen(packages: InstalledPackage[], secrets: Secret[], change: Partial<Seen> = {}): Seen {
  return {
    inventory: { os: null, packages, extractors: [] },
    ...{ secrets, malware: undefined, checks: undefined, parts: [], config: null },
    ...change,
  };
}

const ofImage = { layer: "sha256:a", step: "COPY . /app", origin: "application" } as const;
const image = seen(
  [packageOf("same", "1", ofImage), packageOf("upgraded", "1", ofImage), packageOf("gone", "1", ofImage)],
  [
    secretOf("/app/key", "f1", { layer: "sha256:a" }),
    secretOf("/app/deleted", "f2", { layer: "sha256:a" }),
    secretOf("ENV TOKEN", "f3"),
  ],
  { checks: [], parts: [{ extractor: "secrets", state: "partial", errors: [] }] },
);
const now = seen(
  [packageOf("same", "1"), packageOf("upgraded", "2"), packageOf("new", "1")],
  [secretOf("/app/key", "f1"), secretOf("/tmp/token", "f4")],
  { parts: [{ extractor: "secrets", state: "done", errors: [] }] },
);

test("what the image brought has its layer, the rest came at run time; what the container removed is no package of it", () => {
  assert.deepEqual(
    overImage(now, image).inventory.packages.map(({ name, version, origin, layer }) => [name, version, origin, layer]),
    [
      ["same", "1", "application", "sha256:a"],
      ["upgraded", "2", "container", null],
      ["new", "1", "container", null],
    ],
  );
});

test("credentials of both count: one that was deleted is in a layer still, one of the environment is where it was", () => {
  assert.deepEqual(
    overImage(now, image).secrets?.map(({ location, layer, removed }) => [location, layer, removed]),
    [
      ["/app/key", "sha256:a", false],
      ["/tmp/token", null, false],
      ["/app/deleted", "sha256:a", true],
      ["ENV TOKEN", null, false],
    ],
  );
});

test("what could not be looked at is said, of the image too; without it the scan is one in part", () => {
  const { checks, parts } = overImage(now, image);
  assert.deepEqual(checks, []);
  assert.deepEqual(
    parts.map(({ extractor, state }) => `${extractor} ${state}`),
    ["secrets done", "image: secrets partial"],
  );
  const alone = overImage(now, "its layers are gone");
  assert.deepEqual(alone.inventory, now.inventory);
  assert.deepEqual(alone.parts.at(-1), {
    ...{ extractor: "image", state: "partial" },
    errors: [{ path: "", message: "only what the container has now: its layers are gone" }],
  });
});
