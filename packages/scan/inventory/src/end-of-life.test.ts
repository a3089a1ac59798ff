import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentFolder } from "@bulwark/content/folder";
import { z } from "zod";
import { endOfLifeOf } from "./end-of-life.ts";

const date = (id: string, version: string, name = ""): string | null | undefined =>
  endOfLifeOf({ id, version, name })?.date;

test("the end of a release, of a minor one by its major, and nothing for what nobody knows", () => {
  assert.equal(date("debian", "10"), "2024-06-30");
  assert.equal(date("alpine", "3.16"), "2024-05-23");
  assert.equal(date("rhel", "7.9"), "2024-06-30");
  assert.equal(date("centos", "6.10"), "2020-11-30");
  assert.equal(date("opensuse-leap", "15.5"), "2024-12-31");
  assert.equal(date("debian", "99"), undefined);
  assert.equal(date("photon", "5.0"), undefined);
  assert.equal(date("homemade", "1"), undefined);
  assert.equal(date("constructor", "toString"), undefined);
});

test("CentOS Linux 8 and CentOS Stream 8 are two", () => {
  assert.equal(date("centos", "8", "CentOS Linux 8"), "2021-12-31");
  assert.equal(date("centos", "8", "CentOS Stream 8"), "2024-05-31");
  assert.equal(date("centos", "9", "CentOS Stream 9"), "2027-05-31");
});

test("what is updated for ever has no end", () => {
  for (const [id, version] of [
    ["arch", ""],
    ["wolfi", "20230201"],
    ["debian", "sid"],
    ["alpine", "edge"],
    ["opensuse-tumbleweed", "20250101"],
  ] as const)
    assert.equal(date(id, version), null, id);
});

const document = z.record(
  z.string(),
  z.union([
    z.strictObject({ source: z.string().regex(/https:\/\//), rolling: z.literal(true) }),
    z.strictObject({
      source: z.string().regex(/https:\/\//),
      releases: z.record(z.string().min(1), z.iso.date().nullable()),
    }),
  ]),
);

test("every date is one, and every distribution has a source", () => {
  document.parse(JSON.parse(readFileSync(join(contentFolder("distributions"), "end-of-life.json"), "utf8")));
});
