/** What a live watch has told and recorded, a replay tells again. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Alert } from "@bulwark/model";
import { eventually, missing, runWithRunc } from "@bulwark/testkit";
import { bulwark } from "../product.ts";
import { startCommand } from "./command.ts";
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
    const command = startCommand("--record", file);
    const words = (): string[] => command.alerts.flatMap(({ alert: { process } }) => process?.arguments.at(-1) ?? []);
    try {
      let turn = 0;
      await eventually(
        "it watches",
        async () => {
          await doIn(container, `cat /etc/shadow seen-${turn++}`);
          return command.alerts.length > 0 || undefined;
        },
        20_000,
      );
      for (const attack of attacks) await doIn(container, attack);
      await eventually("the last is told", () => words().some((word) => word.endsWith("last")) || undefined, 10_000);
    } finally {
      await command.stop();
    }
    const replayed = spawnSync(bulwark, ["watch", "--format", "json", "--replay", file], { encoding: "utf8" });
    const again = replayed.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as Alert).id);
    const ids = command.alerts.map(({ alert: { id } }) => id);
    assert.ok(ids.length >= 6, ids.join());
    assert.deepEqual(again.toSorted(), ids.toSorted());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
