import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseConfig } from "@bulwark/config";
import { disk, port } from "./machine.ts";
import { cgroups } from "./kernel.ts";

const config = parseConfig("", "x");

test("a port that is taken is said, with the way around", async () => {
  await using server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  const taken = { ...config, server: { ...config.server, port: address.port } };
  const finding = await port({ config: taken, online: false });
  assert.equal(finding.state, "off");
  assert.match(finding.remedy, /--port/);
});

test("free space is measured where the data folder will be, even before it is there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-"));
  const finding = await disk({ config: { ...config, data: join(folder, "a/b") }, online: false });
  assert.ok(finding.text.includes(folder));
  rmSync(folder, { recursive: true });
});

test("the cgroup hierarchy of this machine is named", { skip: process.platform !== "linux" }, async () => {
  assert.match((await cgroups()).text, /version/);
});
