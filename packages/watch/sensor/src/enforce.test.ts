import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { eventually, missing, run, runWithRunc, type RuncContainer } from "@bulwark/testkit";
import { buildSensor } from "./build.ts";
import type { SensorError } from "./error.ts";
import type { Policy, PolicyRules } from "./policy.ts";
import type { EnforcementRecord } from "./record.ts";
import { startSensor, type Sensor } from "./sensor.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");

describe("what is forbidden in a real container", { skip }, () => {
  let container: RuncContainer;
  let sensor: Sensor;
  const told: EnforcementRecord[] = [];
  before(async () => {
    await buildSensor();
    container = runWithRunc({ overlay: true, privileged: true, args: ["sh", "-c", ticking] });
    await eventually("the connection is there", () => existsSync(join(container.rootfs, "tmp/arrived")) || undefined);
    const source = join(import.meta.dirname, "live/forbidden.c");
    run("clang", ["-static", "-O1", "-Wall", "-Werror", "-o", join(container.rootfs, "bin/forbidden"), source]);
    container.exec(
      "sh",
      "-c",
      "cp /bin/busybox /bin/blocked; cp /bin/forbidden /dev/forbidden; ln -s blocked /bin/link; cp /bin/busybox /tmp/dropped",
    );
    sensor = await start();
  });
  after(async () => {
    await sensor?.close();
    await container?.[Symbol.asyncDispose]();
  });

  async function start(onExit?: (error: SensorError) => void): Promise<Sensor> {
    return startSensor({
      enforce: true,
      onRecords: () => undefined,
      onEnforcement: (record) => told.push(record),
      ...(onExit && { onExit }),
    });
  }
  const policy = (rules: PolicyRules, change: Partial<Policy> = {}): Policy =>
    ({
      ...rules,
      cgroup: cgroupOf(container.pid),
      pid: container.pid,
      limitMs: 60_000,
      enforce: true,
      outlives: false,
      ...change,
    }) as Policy;
  const execs = (path: string, count = 1): string => container.exec("forbidden", "execs", path, String(count)).trim();
  const connects = (how: string, address: string, port = 4999, count = 1): string =>
    container.exec("forbidden", "connects", how, address, String(port), String(count)).trim();
  /** How it ended: a sensor numbers its policies, and each test looks only at what came since. */
  async function release(id: bigint): Promise<EnforcementRecord> {
    const from = told.length;
    await sensor.release(id);
    const last = told.slice(from).find((record) => record.id === id && record.state === "undone");
    assert.ok(last);
    return last;
  }

  test("a thousand executions are refused, counted, and none has an effect; the others run", async () => {
    const { id, ways } = await sensor.enforce(policy({ kind: "exec", paths: ["/bin/blocked"], origins: [] }));
    assert.deepEqual(ways, ["refuse-exec", "end-exec"]);
    assert.equal(execs("/bin/link", 1000), "refused 1000 ended 0 ran 0", "through a link");
    assert.equal(execs("/tmp/dropped"), "refused 0 ended 0 ran 1");
    const { prevented, caught, missed, program } = await release(id);
    assert.deepEqual([prevented, caught, missed, program], [1000n, 0n, 0n, "/bin/blocked"]);
    assert.equal(execs("/bin/link"), "refused 0 ended 0 ran 1");
  });

  test("a thousand are ended before their first instruction where they are not to be asked for", async () => {
    const { id, ways } = await sensor.enforce(policy({ kind: "exec", paths: ["/tmp/"], origins: [], killOnly: true }));
    assert.deepEqual(ways, ["end-exec"]);
    assert.equal(execs("/tmp/dropped", 1000), "refused 0 ended 1000 ran 0");
    const { prevented, caught, missed } = await release(id);
    assert.deepEqual([prevented, caught, missed], [0n, 1000n, 0n]);
  });

  test("what got past the refusal is ended: from memory, and through a mount that came later", async () => {
    const { id } = await sensor.enforce(policy({ kind: "exec", paths: ["/tmp/later/"], origins: ["memory"] }));
    assert.equal(container.exec("forbidden", "memory", "/bin/busybox", "5").trim(), "refused 0 ended 5 ran 0");
    container.exec("sh", "-c", "mkdir -p /tmp/later; mount -t tmpfs later /tmp/later; cp /bin/busybox /tmp/later/");
    assert.equal(execs("/tmp/later/busybox", 3), "refused 0 ended 3 ran 0");
    container.exec("busybox", "umount", "/tmp/later");
    const { prevented, caught, missed } = await release(id);
    assert.deepEqual([prevented, caught, missed], [0n, 8n, 0n]);
  });

  test("what is not in the image is refused", async () => {
    const { id } = await sensor.enforce(
      policy({ kind: "exec", paths: [], origins: ["writable-layer", "memory", "mount"] }),
    );
    assert.equal(
      runsOf(() => container.exec("/bin/blocked", "echo", "ran")),
      "",
    );
    assert.equal(container.exec("/bin/busybox", "echo", "of the image").trim(), "of the image");
    assert.equal(
      runsOf(() => container.exec("/tmp/dropped", "echo", "ran")),
      "",
    );
    container.exec("sh", "-c", "cp /bin/busybox /dev/dropped");
    assert.equal(
      runsOf(() => container.exec("/dev/dropped", "echo", "ran")),
      "",
    );
    const { prevented, caught, missed } = await release(id);
    assert.deepEqual([prevented, caught, missed], [3n, 0n, 0n]);
  });

  test("what is only observed is counted, and happens", async () => {
    const { id } = await sensor.enforce(
      policy({ kind: "exec", paths: ["/tmp/dropped"], origins: [] }, { enforce: false }),
    );
    const network = await sensor.enforce(
      policy({ kind: "connect", peers: [{ peer: "127.0.0.0/8", allows: false }] }, { enforce: false }),
    );
    assert.equal(execs("/tmp/dropped", 3), "refused 0 ended 0 ran 3");
    assert.equal(connects("udp", "127.0.0.1", 4999, 3), "refused 0 passed 3");
    assert.equal((await release(id)).prevented, 3n);
    assert.equal((await release(network.id)).prevented, 3n);
  });

  test("a thousand connections are refused and counted, datagrams too, by whatever name the peer goes", async () => {
    const { id, ways } = await sensor.enforce(
      policy({
        kind: "connect",
        peers: [
          { peer: "127.0.0.1", ports: [4000, 4000], allows: true },
          { peer: "127.0.0.0/8", allows: false },
          { peer: "::1", ports: [4999, 5001], allows: false },
        ],
      }),
    );
    assert.deepEqual(ways, ["refuse-connect", "drop-packets"]);
    assert.equal(connects("tcp", "127.0.0.1", 4999, 1000), "refused 1000 passed 0");
    for (const address of ["127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1", "::1", "::"]) {
      assert.equal(connects("tcp", address), "refused 1 passed 0", address);
      assert.equal(connects("udp", address), "refused 1 passed 0", address);
    }
    assert.equal(connects("tcp", "127.0.0.1", 4000), "refused 0 passed 1", "an exception goes before");
    assert.equal(connects("tcp", "::1", 4998), "refused 0 passed 1", "another port");
    const { prevented, caught, missed } = await release(id);
    assert.deepEqual([prevented, caught, missed], [1010n, 0n, 0n]);
    assert.equal(connects("tcp", "127.0.0.1"), "refused 0 passed 1");
  });

  test("packets that no call refuses are dropped, and answers to others are not", async () => {
    const peers = [{ peer: "127.0.0.0/8", allows: false }];
    await ticks();
    const { id } = await sensor.enforce(policy({ kind: "connect", peers }));
    assert.equal(connects("raw", "127.0.0.1", 0, 5), "refused 5 passed 0");
    await ticks();
    const { prevented, caught } = await release(id);
    assert.deepEqual([prevented, caught], [0n, 5n]);
  });

  test("a container in quarantine neither sends nor gets a packet, and goes on when that is undone", async () => {
    await ticks();
    const { id } = await sensor.enforce(policy({ kind: "quarantine", peers: [] }));
    await pause(100);
    const before = arrived();
    assert.equal(connects("tcp", "127.0.0.1", 4999, 10), "refused 10 passed 0");
    assert.equal(connects("udp", "::1", 4999, 10), "refused 10 passed 0");
    await pause(300);
    assert.equal(arrived(), before, "a connection that was there stands still");
    const { prevented, caught } = await release(id);
    assert.equal(prevented, 20n);
    assert.ok(caught > 0n);
    await ticks();
  });

  test("packet sockets that are open already send past a quarantine, and are counted as missed", async () => {
    container.exec("sh", "-c", "forbidden packets /tmp/open >/dev/null 2>&1 & echo $! >/tmp/holder");
    await eventually("it is open", () => existsSync(join(container.rootfs, "tmp/open")) || undefined);
    const { id } = await sensor.enforce(policy({ kind: "quarantine", peers: [] }));
    assert.equal((await release(id)).missed, 1n);
    const dry = await sensor.enforce(policy({ kind: "quarantine", peers: [] }, { enforce: false }));
    assert.equal((await release(dry.id)).missed, 0n, "nothing is meant to be prevented");
    container.exec("sh", "-c", "kill $(cat /tmp/holder)");
    const later = await sensor.enforce(policy({ kind: "quarantine", peers: [] }));
    assert.equal((await release(later.id)).missed, 0n);
  });

  test("quarantine leaves the peers that were excepted", async () => {
    const { id } = await sensor.enforce(policy({ kind: "quarantine", peers: [{ peer: "127.0.0.0/8", allows: true }] }));
    await ticks();
    assert.equal(connects("udp", "127.0.0.1"), "refused 0 passed 1");
    assert.equal(connects("udp", "::1"), "refused 1 passed 0");
    await release(id);
  });

  test("its time limit ends it in the sensor, whoever is still there", async () => {
    const { id } = await sensor.enforce(
      policy({ kind: "connect", peers: [{ peer: "0.0.0.0/0", allows: false }] }, { limitMs: 3000 }),
    );
    assert.equal(connects("tcp", "127.0.0.1"), "refused 1 passed 0");
    await eventually("it ends", () => told.find((record) => record.id === id && record.state === "time-is-over"));
    assert.equal(connects("tcp", "127.0.0.1"), "refused 0 passed 1");
  });

  test("what cannot be enforced is refused with a reason", async () => {
    const rules: PolicyRules = { kind: "connect", peers: [] };
    const refused = async (change: Partial<Policy>, message: RegExp, what: PolicyRules = rules): Promise<void> => {
      await assert.rejects(sensor.enforce(policy(what, change)), (error: SensorError) => {
        assert.equal(error.code, "policy");
        assert.match(error.message, message);
        assert.ok(error.remedy);
        return true;
      });
    };
    await refused({ cgroup: "/" }, /no cgroup of a container/);
    await refused({ cgroup: "/../x" }, /not there/);
    await refused({ cgroup: "/nowhere" }, /not there/);
    await refused({ pid: process.pid }, /not in the cgroup/);
    await refused({ limitMs: 0 }, /longer than a day, or no time/);
    await refused({ limitMs: 25 * 3_600_000 }, /longer than a day/);
    await refused({}, /no absolute path/, { kind: "exec", paths: ["nc"], origins: [] });
    await refused({}, /neither an address nor a network/, {
      kind: "connect",
      peers: [{ peer: "10.0.0.0/33", allows: false }],
    });
    const { id } = await sensor.enforce(policy(rules));
    await refused({}, /already/);
    await release(id);
    await assert.rejects(sensor.release(id), { code: "policy" });
    await assert.rejects(sensor.release(0n), { code: "policy" });
  });

  test("when the sensor dies, its policies end with it; those that are to outlive it end with their time", async () => {
    const ends: SensorError[] = [];
    await using other = await start((error) => ends.push(error));
    const deny: PolicyRules = { kind: "exec", paths: ["/tmp/dropped"], origins: [] };
    await other.enforce(policy(deny));
    const { guard } = await other.enforce(
      policy({ kind: "connect", peers: [{ peer: "127.0.0.0/8", allows: false }] }, { outlives: true, limitMs: 4000 }),
    );
    process.kill(other.pid, "SIGKILL");
    await eventually("the first ends", () => execs("/tmp/dropped") === "refused 0 ended 0 ran 1" || undefined);
    assert.equal(connects("tcp", "127.0.0.1"), "refused 1 passed 0");
    await eventually("the second ends, and who enforced it", () => !existsSync(`/proc/${guard}`) || undefined);
    assert.equal(connects("tcp", "127.0.0.1"), "refused 0 passed 1");
    assert.equal(ends.length, 1);
  });

  test("when the process that enforces dies, nothing is enforced, nothing hangs, and the sensor says so", async () => {
    const ends: SensorError[] = [];
    await using other = await start((error) => ends.push(error));
    const { guard } = await other.enforce(policy({ kind: "exec", paths: ["/tmp/dropped"], origins: [] }));
    process.kill(guard, "SIGKILL");
    await eventually("the sensor ends", () => ends.length > 0 || undefined);
    assert.match(ends[0]?.message ?? "", /the process that enforces ended/);
    assert.equal(execs("/tmp/dropped"), "refused 0 ended 0 ran 1");
  });

  /** What a connection inside of the container has brought so far. */
  const arrived = (): number => statSync(join(container.rootfs, "tmp/arrived")).size;
  async function ticks(): Promise<void> {
    const before = arrived();
    await eventually("the connection brings more", () => arrived() > before || undefined);
  }
});

const ticking =
  "sleep 3600 | nc -l -p 4000 >/tmp/arrived & while true; do while echo tick; do sleep 0.02; done | nc 127.0.0.1 4000; sleep 0.1; done";

function cgroupOf(pid: number): string {
  return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "";
}

/** What it printed; empty where it did not run. */
function runsOf(act: () => string): string {
  try {
    return act();
  } catch {
    return "";
  }
}
