/** Ordinary work in real containers, of which nothing is told. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, missing, type RuncContainer, type RuncOptions } from "@bulwark/testkit";
import { runIn } from "./entrance.ts";
import { servers, serverOptions } from "./servers.ts";
import { works, type Work } from "./work.ts";
import { doIn, makeVictim, startWorld, type World } from "./world.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox", "python", "debian", "postgresql", "servers");

describe("ordinary work", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let world: World;
  let options: Record<Work["in"], RuncOptions>;
  let folder = "";

  before(async () => {
    world = stack.use(await startWorld());
    const victim = makeVictim(join(world.folder, "victim"));
    mkdirSync(join(victim, "etc/cron.daily"));
    writeFileSync(join(victim, "etc/cron.daily/job"), "#!/bin/sh\n/bin/ls / >/tmp/listing\n/bin/rm /tmp/listing\n");
    chmodSync(join(victim, "etc/cron.daily/job"), 0o755);
    folder = join(world.folder, "server");
    options = { victim: { rootfs: victim }, tools: { rootfs: "/" }, server: serverOptions(folder) };
  });
  after(async () => stack.disposeAsync());

  /** Something that is told, behind the work: then all before it was judged. */
  async function settled(container: RuncContainer): Promise<void> {
    await doIn(container, "mount -t cgroup x /mnt");
    const isTold = (): boolean => world.alertsOf(container).some(({ rule }) => rule === "host-file-system");
    await eventually("the last is told", () => isTold() || undefined, 30_000);
  }

  for (const { what, in: place, script, client, by, explained = {} } of [...works, ...servers]) {
    test(what, async () => {
      // One of its own, so that its alerts are those of this work.
      const container = await world.start(options[place]);
      const said = await doIn(container, `export PATH=/bin:/usr/bin:/sbin:/usr/sbin; ${script}`, by);
      assert.doesNotMatch(said, /\(\d+\)$/, "the work is done");
      if (client !== undefined) {
        const network = ["nsenter", "--target", String(container.pid), "--net"];
        const heard = await runIn([...network, "env", `FOLDER=${folder}`, "sh", "-c", client]);
        assert.doesNotMatch(heard, /\(\d+\)$/, "its client has what it asked for");
      }
      await settled(container);
      const told = world
        .alertsOf(container)
        .filter(({ rule }) => rule !== "host-file-system" && explained[rule] === undefined)
        .map(({ rule, evidence }) => `${rule}: ${evidence.map(({ value }) => value).join(" ")}`);
      assert.deepEqual(told, []);
    });
  }
});
