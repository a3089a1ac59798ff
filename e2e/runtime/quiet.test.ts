/** Ordinary work in real containers, of which nothing is told. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, missing, type RuncContainer } from "@bulwark/testkit";
import { works } from "./work.ts";
import { doIn, makeVictim, startWorld, type World } from "./world.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox", "python", "debian", "postgresql");

describe("ordinary work", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let world: World;
  let victim = "";

  before(async () => {
    world = stack.use(await startWorld());
    victim = makeVictim(join(world.folder, "victim"));
    mkdirSync(join(victim, "etc/cron.daily"));
    writeFileSync(join(victim, "etc/cron.daily/job"), "#!/bin/sh\n/bin/ls / >/tmp/listing\n/bin/rm /tmp/listing\n");
    chmodSync(join(victim, "etc/cron.daily/job"), 0o755);
  });
  after(async () => stack.disposeAsync());

  /** Something that is told, behind the work: then all before it was judged. */
  async function settled(container: RuncContainer): Promise<void> {
    await doIn(container, "mount -t cgroup x /mnt");
    const isTold = (): boolean => world.alertsOf(container).some(({ rule }) => rule === "host-file-system");
    await eventually("the last is told", () => isTold() || undefined, 30_000);
  }

  for (const { what, in: place, script, by, explained = {} } of works) {
    test(what, async () => {
      // One of its own, so that its alerts are those of this work.
      const container = await world.start({ rootfs: place === "tools" ? "/" : victim });
      const said = await doIn(container, `export PATH=/bin:/usr/bin:/sbin:/usr/sbin; ${script}`, by);
      assert.doesNotMatch(said, /\(\d+\)$/, "the work is done");
      await settled(container);
      const told = world
        .alertsOf(container)
        .filter(({ rule }) => rule !== "host-file-system" && explained[rule] === undefined)
        .map(({ rule, evidence }) => `${rule}: ${evidence.map(({ value }) => value).join(" ")}`);
      assert.deepEqual(told, []);
    });
  }
});
