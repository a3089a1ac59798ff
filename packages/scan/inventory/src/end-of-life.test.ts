import assert from "node:assert/strict";
import { test } from "node:test";
import { endOfLifeOf } from "./end-of-life.ts";
import data from "./end-of-life.json" with { type: "json" };

test("the end of a release, of a minor one by its major, and nothing for what nobody knows", () => {
  const date = (id: string, version: string) => endOfLifeOf({ id, version, name: "" })?.date;
  assert.equal(date("debian", "10"), "2024-06-30");
  assert.equal(date("alpine", "3.16"), "2024-05-23");
  assert.equal(date("rhel", "7.9"), "2024-06-30");
  assert.equal(date("centos", "6.10"), "2020-11-30");
  assert.equal(date("debian", "sid"), undefined);
  assert.equal(date("arch", ""), undefined);
});

test("every date is one, and every distribution has a source", () => {
  for (const { source, releases } of Object.values(data)) {
    assert.match(source, /https:\/\//);
    for (const date of Object.values(releases))
      assert.equal(new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10), date);
  }
});
