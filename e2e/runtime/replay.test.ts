/** What a live watch has told and recorded, a replay tells again. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Alert } from "@bulwark/model";
import { eventually, missing, runWithRunc } from "@bulwark/testkit";
import { bulwark } from "../product.ts";
import { doIn, makeVictim } from "./world.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");

const attacks = [
  "cat /etc/shadow first",
  "export PATH=/bin:/opt/bin; deepce",
  "cp /bin/busybox /tmp/dropped; /tmp/dropped true",
  "nc -l -p 4448 </dev/null >/dev/null & usleep 200000; nc 127.0.0.1 4448 -e /bin/sh",
  "mount -t tmpfs none /mnt; chroot / /bin/true; cat /etc/shadow last",
];

test("a recording of a live watch gives the same alerts", { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-replay-"));
  try {
    await using container = runWithRunc({
      overlay: true,
      rootfs: makeVictim(join(folder, "victim")),
      root: "/run/runc",
    });
    const file = join(folder, "recording");
    const child = spawn(bulwark, ["watch", "--format", "json", "--record", file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let told = "";
    child.stdout.on("data", (chunk: Buffer) => (told += chunk.toString()));
    try {
      let turn = 0;
      await eventually(
        "it watches",
        async () => {
          await doIn(container, `cat /etc/shadow seen-${turn++}`);
          return told !== "" || undefined;
        },
        20_000,
      );
      for (const attack of attacks) await doIn(container, attack);
      await eventually("the last is told", () => told.includes('last"') || undefined, 10_000);
    } finally {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
    const replayed = spawnSync(bulwark, ["watch", "--format", "json", "--replay", file], { encoding: "utf8" });
    const idsOf = (lines: string): string[] =>
      lines
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as Alert).id)
        .toSorted();
    assert.ok(idsOf(told).length >= 6, told);
    assert.deepEqual(idsOf(replayed.stdout), idsOf(told));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
