import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { callCommand } from "../call.fixture.ts";
import { UsageError } from "../local/options.ts";
import { cacheCommand } from "./cache.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-cache-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const call = (...args: string[]): ReturnType<typeof callCommand> =>
  callCommand(cacheCommand, [...args, "--folder", folder]);

test("the cache is told, cut to a size by what was used longest ago, and emptied; other files stay", async () => {
  for (const [at, name] of ["layer-a.json.zst", "layer-b.json.zst", "image-c.json.zst"].entries()) {
    writeFileSync(join(folder, name), Buffer.alloc(1000));
    utimesSync(join(folder, name), 1000 + at, 1000 + at);
  }
  writeFileSync(join(folder, "mine"), "");
  assert.match((await call("status")).out, /\n3 files, 0\.0 of 2000 MB, the oldest used 1970-01-01\n/);
  const { out } = await call("trim", "--limit", "2kB", "--format", "json");
  assert.equal((JSON.parse(out) as { bytes: number }).bytes, 2000);
  assert.deepEqual(readdirSync(folder).toSorted(), ["image-c.json.zst", "layer-b.json.zst", "mine"]);
  await call("clear");
  assert.deepEqual(readdirSync(folder), ["mine"]);
});

test("a wrong call says what is right", async () => {
  for (const args of [[], ["status", "x"], ["trim"], ["clear", "--limit", "1MB"], ["trim", "--limit", "much"]]) {
    await assert.rejects(call(...args), UsageError, args.join(" "));
  }
});
