import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseTags, wantsRepository } from "./tags.ts";

const all = { repositories: ["*"], tags: ["*"], newest: 3 };

test("of many tags those of the highest versions are taken, latest before them, signatures never", () => {
  const signature = `sha256-${"a".repeat(64)}.sig`;
  assert.deepEqual(chooseTags(all, ["1.9.0", "latest", signature, "1.10.0", "1.2.0", "1.10.1"]), [
    "latest",
    "1.10.1",
    "1.10.0",
  ]);
});

test("a filter names whole repositories and tags, or patterns of them", () => {
  const filters = { ...all, repositories: ["shop/*", "base"], tags: ["v*", "stable"] };
  assert.deepEqual(
    ["shop/web", "shop/team/web", "base", "database", "other/shop/web"].filter((name) =>
      wantsRepository(filters, name),
    ),
    ["shop/web", "shop/team/web", "base"],
  );
  assert.deepEqual(chooseTags(filters, ["v1", "1", "stable", "unstable"]), ["v1", "stable"]);
});
