/** Containers that are hard to follow: with arguments without end, with more processes than anybody can count. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Alert } from "@bulwark/model";
import { eventually, missing } from "@bulwark/testkit";
import { doIn, makeVictim, startWorld, type World } from "./world.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");
const path = "export PATH=/bin:/opt/bin; ";

describe("containers that are hard to follow", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let world: World;
  let victim = "";

  before(async () => {
    world = stack.use(await startWorld());
    victim = makeVictim(join(world.folder, "victim"));
  });
  after(async () => stack.disposeAsync());

  const word = (alert: Alert, position: number): string => alert.process?.arguments[position] ?? "";
  /** What was lost since a test began, by its counter. */
  let earlier: Readonly<Record<string, number>> = {};
  beforeEach(() => void (earlier = world.counters()));
  function lost(): Record<string, number> {
    const all = Object.entries(world.counters()).map(([name, count]) => [name, count - (earlier[name] ?? 0)] as const);
    return Object.fromEntries(all.filter(([name, count]) => /^(lost|failed|evicted)\./.test(name) && count > 0));
  }

  test("a megabyte of arguments: they are told cut, the program's alert comes, and so does the next one's", async () => {
    const container = await world.start({ rootfs: victim });
    // As long as execve(2) takes one: MAX_ARG_STRLEN with its end.
    const words = "set --; for i in 1 2 3 4 5 6 7 8; do set -- \"$@\" $(/bin/busybox printf '%0131071d' 0); done";
    const said = await doIn(container, `${path}${words}; /opt/bin/deepce long "$@" && /opt/bin/deepce next`);
    assert.equal(said, "", "both were executed");
    const told = () => world.alertsOf(container).filter(({ rule }) => rule === "attack-tool-executed");
    await eventually("both are told", () => told().length >= 2 || undefined);
    const [long, next, ...others] = told();
    assert.deepEqual(others, []);
    assert.equal(long?.process?.executable, "/opt/bin/deepce");
    assert.deepEqual(long.process.arguments.slice(0, 2), ["/opt/bin/deepce", "long"]);
    assert.match(long.process.arguments[2] ?? "", /^0{4000,4096}$/);
    assert.equal(long.process.arguments.length, 3);
    assert.equal(long.process.argumentsCut, true);
    assert.deepEqual(next?.process?.arguments, ["/opt/bin/deepce", "next"]);
    assert.equal(next.process.argumentsCut, false);
    assert.deepEqual(lost(), {});
  });

  test("beside a container that starts processes as fast as it can, each of ten attacks is told", async (t) => {
    const noisy = await world.start({ rootfs: victim });
    const quiet = await world.start({ rootfs: victim });
    const before = world.processes();
    const storm = doIn(noisy, `${path}deeds do storm 2000`);
    await doIn(quiet, `${path}for i in 0 1 2 3 4 5 6 7 8 9; do cat /etc/shadow no-$i; usleep 150000; done`);
    const made = Number(await storm);
    const told = () => world.alertsOf(quiet).filter(({ rule }) => rule === "passwords-of-the-system-read");
    await eventually("all are told", () => told().length >= 10 || undefined);
    assert.deepEqual(
      told().map((alert) => word(alert, 2)),
      Array.from({ length: 10 }, (_, n) => `no-${n}`),
    );
    assert.ok(made > 1000, "it was a storm");
    const isSeen = (): boolean => Object.keys(lost()).length > 0 || world.startsOf(noisy.id) >= made;
    await eventually("each start is known, or that some are lost", () => isSeen() || undefined);
    t.diagnostic(`${made} processes, ${world.startsOf(noisy.id)} programs seen, lost: ${JSON.stringify(lost())}`);
    assert.equal(world.counters()["evicted.processes"], 0);
    assert.ok(world.processes() > before + 100);
    // It forgets after five seconds, when something happens.
    await pause(5500);
    await doIn(quiet, "true");
    await eventually("who ended is forgotten", () => world.processes() < before + 100 || undefined);
  });
});

describe("a container that makes more events than its share", { skip }, () => {
  test("is told of, its own programs too, and nothing of another one is passed over", async (t) => {
    await using world = await startWorld({ eventRate: 100 });
    const victim = makeVictim(join(world.folder, "victim"));
    const noisy = await world.start({ rootfs: victim });
    const quiet = await world.start({ rootfs: victim });
    await Promise.all([
      doIn(noisy, `${path}for i in 0 1 2 3 4 5 6 7 8 9; do deeds do flood 3000; deepce no-$i; usleep 100000; done`),
      doIn(
        quiet,
        `${path}for i in 0 1 2 3 4 5 6 7 8 9; do cat /etc/shadow no-$i; mount -t cgroup no-$i /mnt; usleep 100000; done`,
      ),
    ]);
    const told = ({ id }: { id: string }, rule: string): Alert[] =>
      world.alertsOf({ id }).filter((alert) => alert.rule === rule);
    const all = { "passwords-of-the-system-read": quiet, "host-file-system": quiet, "attack-tool-executed": noisy };
    const numbers = Array.from({ length: 10 }, (_, n) => `no-${n}`);
    for (const [rule, container] of Object.entries(all)) {
      const whose = (): unknown[] =>
        told(container, rule).map((alert) => alert.process?.arguments.find((word) => word.startsWith("no-")));
      await eventually(rule, () => assert.deepEqual([...new Set(whose())], numbers) ?? true);
    }

    const [flood, ...others] = told(noisy, "flood");
    assert.deepEqual(others, []);
    assert.equal(flood?.attribution, "container");
    assert.equal(flood.process?.executable, "/bin/deeds");
    assert.deepEqual(flood.process.arguments, ["deeds", "do", "flood", "3000"]);
    const passedOver = Number(flood.evidence.find(({ key }) => key === "passedOver")?.value);
    const { "lost.limited": limited = 0, "lost.ring": ring, "lost.pipe": pipe } = world.counters();
    t.diagnostic(`${passedOver} had been passed over when it was told, ${limited} in the end`);
    assert.ok(passedOver > 0);
    assert.ok(limited > 10_000, "it was a flood");
    assert.deepEqual({ ring, pipe }, { ring: 0, pipe: 0 });
    assert.deepEqual(told(quiet, "flood"), []);
  });
});
