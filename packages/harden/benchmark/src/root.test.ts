import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openRoot } from "./root.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-root-"));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "etc/deep"), { recursive: true });
writeFileSync(join(folder, "etc/passwd"), "inside");
const link = (name: string, target: string): void => symlinkSync(target, join(folder, "etc", name));
link("absolute", "/etc/passwd");
link("up", "../../../../../etc/passwd");
link("folder", "/etc");
link("loop", "loop");
link("nowhere", "/etc/none");
writeFileSync(join(folder, "etc/large"), "");
truncateSync(join(folder, "etc/large"), 5 * 1024 * 1024);

test("links lead to where they lead on the host, never out of its root", () => {
  const root = openRoot(folder);
  for (const path of ["/etc/passwd", "/etc/absolute", "/etc/up", "/etc/folder/passwd", "/etc/../../../etc/passwd"]) {
    assert.equal(root.text(path), "inside", path);
  }
  assert.equal(root.real("/etc/folder/up"), "/etc/passwd");
});

test("what is not there is no fault; what cannot be read is one", () => {
  const root = openRoot(folder);
  for (const path of ["/etc/none", "/etc/nowhere", "/etc/passwd/below"]) assert.equal(root.text(path), undefined, path);
  assert.equal(root.list("/etc/none"), undefined);
  assert.throws(() => root.text("/etc/loop"), /too many links/);
  assert.throws(() => root.text("/etc/large"), /larger than/);
  assert.throws(() => root.text("/etc/deep"), /not a file/);
});
