import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { missing } from "@bulwark/testkit";
import { sensorAvailability } from "./availability.ts";
import { buildSensor, sensorBinary } from "./build.ts";
import { createDecoder } from "./decode.ts";
import { SensorError } from "./error.ts";
import { makeImage, type TestImage } from "./live/container.ts";
import type { ConnectionRecord, DecodedRecord, ExitRecord, LossRecord, ProcessRecord, SensorRecord } from "./record.ts";
import { startSensor, type Sensor, type SensorOptions } from "./sensor.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");

test("a program that is not there is told with what to do", async () => {
  const binary = join(tmpdir(), "no-such-sensor");
  const looked = sensorAvailability({ binary });
  assert.equal(looked.available, false);
  assert.ok(looked.reason !== "" && looked.remedy !== "");
  await assert.rejects(startSensor({ binary, onRecords: () => {} }), (error) => {
    assert.ok(error instanceof SensorError && error.code === "unavailable");
    assert.match(error.message, /no-such-sensor/);
    assert.ok(error.remedy);
    return true;
  });
});

test("a program that speaks something else is told as a broken frame", async () => {
  await using folder = await temporaryFolder();
  const binary = join(folder.path, "other");
  await writeFile(binary, "#!/bin/sh\necho 'hello, this is not the sensor that you look for'\nexec sleep 60\n");
  await chmod(binary, 0o700);
  await assert.rejects(startSensor({ binary, onRecords: () => {} }), { code: "protocol" });
});

describe("with real containers", { skip }, () => {
  let image: TestImage;
  before(async () => {
    await buildSensor();
    image = await makeImage();
  });
  after(() => image?.[Symbol.asyncDispose]());

  test("it is available here", () => {
    assert.deepEqual(sensorAvailability(), { available: true, reason: "", remedy: "" });
  });

  test("a command is seen from fork to exit, with who, what, where and in which container", async () => {
    await using watch = await startWatch();
    const { id, code } = await image.run("/bin/true one 'two words'; exit 7", 1000);
    assert.equal(code, 7);
    await watch.close();

    const shell = watch.exec((record) => record.arguments[0] === "/bin/sh" && record.cgroups.some(holds(id)));
    const command = watch.exec((record) => record.arguments[0] === "/bin/true" && record.parentPid === shell.pid);
    assert.deepEqual(command.arguments, ["/bin/true", "one", "two words"]);
    assert.equal(command.argumentsCut, false);
    assert.equal(command.filename, "/bin/true");
    assert.equal(command.executable, "/bin/busybox", "the link is seen through");
    assert.equal(command.name, "true");
    assert.equal(command.workingDirectory, "/tmp");
    assert.deepEqual([command.uid, command.gid, command.effectiveUid], [1000, 1000, 1000]);
    assert.equal(command.capabilities, 0n);
    assert.equal(shell.containerPid, 1);
    assert.ok(command.containerPid > 1);
    assert.ok(command.cgroups.some((path) => path === `/${id}`));
    assert.deepEqual([command.parentStartTime, command.mountNamespace], [shell.startTime, shell.mountNamespace]);
    assert.ok(command.startTime > shell.startTime && command.time >= command.startTime);
    assert.equal(command.origin, "lower");
    assert.equal(command.kernelParent, false);

    const fork = watch.process("fork", (record) => record.pid === command.pid);
    assert.ok(fork.sequence < command.sequence);
    assert.equal(fork.startTime, command.startTime);
    assert.deepEqual([fork.executable, fork.arguments], ["", []], "a copy of its parent, which is told of");
    const exits = watch.exits();
    assert.equal(
      exits.find((record) => record.pid === command.pid && record.startTime === command.startTime)?.exitCode,
      0,
    );
    assert.equal(exits.find((record) => record.pid === shell.pid)?.exitCode, 7 << 8);
  });

  test("programs for kernels without casts tell the same as those with them", async () => {
    await using folder = await temporaryFolder();
    const binary = join(folder.path, "sensor");
    await writeFile(binary, `#!/bin/sh\nexec ${sensorBinary} --no-casts "$@"\n`);
    await chmod(binary, 0o700);
    await using old = await startWatch({ binary });
    await using watch = await startWatch();
    const { id } = await image.run(
      "cd /bin; ./true one </dev/null | /bin/cat; /bin/cp busybox /tmp/new; /tmp/new true two",
    );
    await Promise.all([old.close(), watch.close()]);
    const told = ({ records }: Watch): unknown[] => {
      const processes = records.filter((record): record is ProcessRecord => ["exec", "fork"].includes(record.type));
      const own = processes.filter(({ cgroups }) => cgroups.some(holds(id)));
      // Both ends of the pipe begin at once, on two processors: each sensor is right about whichever it hears of first.
      const byProcess = own.toSorted((a, b) => a.pid - b.pid);
      return byProcess.map(({ sequence: _sequence, time: _time, ...process }) => process);
    };
    assert.ok(told(watch).length >= 6, `${told(watch).length} of one shell and four commands`);
    assert.deepEqual(told(old), told(watch));
  });

  test("root in a container has the capabilities that it was given, and another user's id counts on the host", async () => {
    await using watch = await startWatch();
    const { id } = await image.run("/bin/true as-root");
    await watch.close();
    const command = watch.exec(argument("as-root"));
    assert.ok(command.cgroups.some(holds(id)));
    assert.equal(command.capabilities, 1n << 5n, "CAP_KILL");
    assert.equal(command.uid, 0);
  });

  test("a file that came with the image is told from one that was dropped or changed in the container", async () => {
    await using watch = await startWatch();
    await image.run(`
      /bin/cp /bin/busybox /tmp/dropped; /tmp/dropped true dropped
      /bin/cp /bin/helper /bin/helper.old; /bin/busybox true untouched
      /bin/busybox touch /bin/helper; /bin/helper changed
      /bin/cp /bin/busybox /dev/plain; /dev/plain true elsewhere
      /bin/busybox ln -s /tmp/dropped /tmp/innocent; /tmp/innocent true linked`);
    await watch.close();
    const origin = (text: string) => {
      const { origin, executable } = watch.exec(argument(text));
      return `${origin} ${executable}`;
    };
    assert.equal(origin("dropped"), "upper /tmp/dropped");
    assert.equal(origin("untouched"), "lower /bin/busybox");
    assert.equal(origin("changed"), "upper /bin/helper");
    assert.equal(origin("elsewhere"), "plain /dev/plain");
    assert.equal(origin("linked"), "upper /tmp/dropped");
    assert.equal(watch.exec(argument("linked")).filename, "/tmp/innocent");
  });

  test("a program that never was a file", async () => {
    await using watch = await startWatch();
    await image.run("/bin/helper memory /bin/busybox true from-memory");
    await watch.close();
    const command = watch.exec((record) => record.arguments.join(" ") === "true from-memory");
    assert.equal(command.origin, "memory");
    assert.equal(command.executable, "memfd:payload");
    assert.match(command.filename, /^\/(dev|proc\/self)\/fd\/\d+$/);
  });

  test("a directory that is too deep or too long to tell keeps its end, and is said to be cut", async () => {
    await using watch = await startWatch();
    await image.run(`
      cd /dev; long=$(/bin/busybox printf '%0250d' 0)
      i=0; while [ $i -lt 20 ]; do mkdir $long; cd $long; i=$((i+1)); done; mkdir end; cd end; /bin/true long
      cd /dev; i=0; while [ $i -lt 70 ]; do mkdir d; cd d; i=$((i+1)); done; mkdir end; cd end; /bin/true deep`);
    await watch.close();
    for (const text of ["long", "deep"]) {
      const directory = watch.exec(argument(text)).workingDirectory;
      assert.match(directory, /^….*\/end$/);
      assert.ok(Buffer.byteLength(directory) <= 4096 + 8);
    }
    assert.equal(watch.exec(argument("deep")).workingDirectory, `…${"/d".repeat(63)}/end`);
  });

  test("when much happens at once nothing is lost, twice or mixed up", async () => {
    const [loops, turns] = [4, 100];
    await using watch = await startWatch();
    await image.run(`
      loop() { i=0; while [ $i -lt ${turns} ]; do /bin/true $1 $i-$1-$i; i=$((i+1)); done; }
      for l in $(/bin/busybox seq ${loops}); do loop $l & done; wait`);
    await watch.close();
    const seen = watch.records.flatMap((record) =>
      record.type === "exec" && record.filename === "/bin/true" ? [record.arguments.slice(1).join(" ")] : [],
    );
    const made = Array.from({ length: loops * turns }, (_, n) => {
      const [loop, turn] = [Math.floor(n / turns) + 1, n % turns];
      return `${loop} ${turn}-${loop}-${turn}`;
    });
    assert.deepEqual(seen.toSorted(), made.toSorted());
    assert.ok(!watch.records.some((record) => record.type === "loss"));
  });

  test("arguments beyond the bound are cut, and said to be", async () => {
    await using watch = await startWatch();
    await image.run(`/bin/true first $(/bin/busybox printf '%05000d' 0) last`);
    await watch.close();
    const command = watch.exec((record) => record.arguments[1] === "first");
    assert.equal(command.argumentsCut, true);
    assert.equal(Buffer.byteLength(command.arguments.join("\0")), 4096);
    assert.ok(!command.arguments.includes("last"));
  });

  for (const [address, port] of [
    ["127.0.0.1", 4444],
    ["::1", 4445],
  ] as const) {
    test(`a process that moved a connection to ${address} onto its descriptors shows it at its next fork`, async () => {
      await using watch = await startWatch();
      const { id, code, output } = await image.run(`/bin/helper shell ${address} ${port}`);
      assert.equal(code, 0, output);
      await watch.close();

      const helper = watch.exec((record) => record.arguments[1] === "shell" && record.cgroups.some(holds(id)));
      assert.ok(helper.stdio.every(({ family }) => family === 0));
      const command = watch.exec((record) => record.parentPid === helper.pid && record.arguments[1] === "on-socket");
      for (const record of [watch.process("fork", ({ pid }) => pid === command.pid), command]) {
        for (const descriptor of record.stdio) {
          assert.equal(descriptor.mode, 0o140000);
          assert.equal(descriptor.family, address === "::1" ? 10 : 2);
          assert.equal(descriptor.state, 1, "ESTABLISHED");
          assert.equal(descriptor.inode, record.stdio[0]?.inode);
          assert.deepEqual(descriptor.remote, { ip: address, port });
          assert.equal(descriptor.local?.ip, address);
        }
      }

      const connect = watch.connection("connect", port);
      assert.deepEqual([connect.pid, connect.startTime], [helper.pid, helper.startTime]);
      assert.deepEqual(connect.remote, { ip: address, port });
      assert.equal(connect.networkNamespace, helper.networkNamespace);
      const accept = watch.connection("accept", port);
      assert.deepEqual(accept.local, { ip: address, port });
      assert.deepEqual(accept.remote, command.stdio[0]?.local);
      assert.deepEqual([accept.pid, accept.networkNamespace], [0, helper.networkNamespace]);
    });
  }

  test("a shell behind nc -e has the connection on its descriptors", async () => {
    await using watch = await startWatch();
    await image.run(`
      (echo '/bin/true through-the-net'; /bin/sleep 0.3) | /bin/nc -l -p 4446 &
      /bin/sleep 0.1; /bin/nc 127.0.0.1 4446 -e /bin/sh; wait`);
    await watch.close();
    const command = watch.exec(argument("through-the-net"));
    const shell = watch.exec((record) => record.pid === command.parentPid && record.filename === "/bin/sh");
    assert.deepEqual(shell.stdio[0]?.remote, { ip: "127.0.0.1", port: 4446 });
    assert.deepEqual(shell.stdio[1]?.remote, { ip: "127.0.0.1", port: 4446 });
  });

  test("a process whose parent is not the one that made it runs what that runs", async () => {
    await using watch = await startWatch();
    await image.run("/bin/helper sibling; true");
    await watch.close();
    const helper = watch.exec((record) => record.arguments[1] === "sibling");
    const cloneParent = 0x8000n;
    const made = watch.process(
      "fork",
      ({ cloneFlags, arguments: words }) => (cloneFlags & cloneParent) !== 0n && words[1] === "sibling",
    );
    assert.deepEqual([made.parentPid, made.parentStartTime], [helper.parentPid, helper.parentStartTime]);
    assert.deepEqual([made.executable, made.arguments], [helper.executable, helper.arguments]);
  });

  test("a process ends once, with its last thread, with the code that its parent gets", async () => {
    await using watch = await startWatch();
    const { output } = await image.run("/bin/helper threads; echo code $?; (kill -9 $$)");
    await watch.close();
    const helper = watch.exec((record) => record.arguments[1] === "threads");
    const exits = watch.exits().filter((record) => record.pid === helper.pid);
    assert.equal(exits.length, 1);
    assert.equal(`code ${(exits[0]?.exitCode ?? 0) >> 8}`, output.trim());
  });

  test("a signal is in the code", async () => {
    await using watch = await startWatch();
    await image.run("/bin/sleep 6173 & /bin/sleep 0.2; kill -15 $!; wait");
    await watch.close();
    const sleep = watch.exec((record) => record.arguments.join(" ") === "/bin/sleep 6173");
    assert.equal(watch.exits().find((record) => record.pid === sleep.pid)?.exitCode, 15);
  });

  test("what runs in a container already is told at the start", async () => {
    await using container = await image.start("exec /bin/sleep 1234");
    await using watch = await startWatch();
    const here = await watch.until((record) => record.type === "snapshot" && record.cgroups.some(holds(container.id)));
    assert.ok(here.type === "snapshot");
    assert.deepEqual(here.arguments, ["/bin/sleep", "1234"]);
    assert.equal(here.executable, "/bin/busybox");
    assert.equal(here.origin, "lower");
    assert.equal(here.containerPid, 1);
    assert.deepEqual(
      here.stdio.map(({ mode }) => mode),
      [0o020000, 0o020000, 0o020000],
    );
    // makedev(1, 3): /dev/null
    assert.deepEqual(
      here.stdio.map(({ device }) => device),
      [0x103, 0x103, 0x103],
    );
    assert.ok(watch.records.every((record) => record.type !== "snapshot" || record.pid !== process.pid));
  });

  test("the host's own processes are told of only when asked for", async () => {
    const mark = `host-${process.pid}`;
    const isMark = (record: SensorRecord) => record.type === "exec" && record.arguments.includes(mark);
    const runOne = () => promisify(execFile)("/bin/true", [mark], { cwd: "/usr" });

    await using containers = await startWatch();
    await runOne();
    // A container's record behind it: had the other been sent, it would be here by then.
    await image.run("/bin/true behind");
    await containers.close();
    containers.exec(argument("behind"));
    assert.ok(!containers.records.some(isMark));

    await using host = await startWatch({ host: true });
    await runOne();
    const record = await host.until(isMark);
    assert.ok(record.type === "exec");
    assert.equal(record.parentPid, process.pid);
    assert.equal(record.workingDirectory, "/usr");
    assert.equal(record.origin === "plain" || record.origin === "lower" || record.origin === "upper", true);
    assert.ok(host.records.some((other) => other.type === "snapshot" && other.pid === process.pid));
  });

  test("a program that the kernel starts is told of, as cgroup escapes make it start one", async (t) => {
    await using folder = await temporaryFolder();
    const [hierarchy, agent] = [join(folder.path, "cgroup"), join(folder.path, "agent")];
    await mkdir(hierarchy);
    await writeFile(agent, "#!/bin/sh\nexit 0\n");
    await chmod(agent, 0o700);
    // A hierarchy of our own: its release_agent is nobody else's.
    const name = `bulwark${process.pid}`;
    const mount = () => promisify(execFile)("mount", ["-t", "cgroup", "-o", `none,name=${name}`, name, hierarchy]);
    const mounted = await mount().then(
      () => true,
      () => false,
    );
    if (!mounted) {
      t.skip("needs cgroup version 1");
      return;
    }
    try {
      await using watch = await startWatch();
      await mkdir(join(hierarchy, "leaf"));
      await writeFile(join(hierarchy, "release_agent"), agent);
      await writeFile(join(hierarchy, "leaf/notify_on_release"), "1");
      await promisify(execFile)("sh", ["-c", `echo $$ > ${hierarchy}/leaf/cgroup.procs`]);
      const record = await watch.until((other) => other.type === "exec" && other.filename === agent);
      assert.ok(record.type === "exec");
      assert.equal(record.kernelParent, true);
      assert.equal(record.uid, 0);
      await watch.until((other) => other.type === "exit" && other.pid === record.pid);
    } finally {
      await rmdir(join(hierarchy, "leaf"));
      // One that is unmounted while a cgroup of it is still being removed stays, until it is mounted and unmounted again.
      for (let isLeft = true; isLeft;) {
        await promisify(execFile)("umount", [hierarchy]);
        await pause(100);
        isLeft = (await readFile("/proc/self/cgroup", "utf8")).includes(`:name=${name}:`);
        if (isLeft) await mount();
      }
    }
  });

  test("what the kernel has no room for is counted", async () => {
    await using watch = await startWatch({ ringBytes: 4096 });
    await image.run("i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done");
    await watch.close();
    const loss = watch.records.findLast((record): record is LossRecord => record.type === "loss");
    assert.ok(loss && loss.ring > 0n, "a page holds two or three frames; between two looks of the reader come more");
    // 300 forks, execs and exits, and a few of the container's own.
    const came = watch.records.filter(({ type }) => type === "fork" || type === "exec" || type === "exit").length;
    assert.ok(BigInt(came) + loss.ring >= 900n, `${came} came, ${loss.ring} are said to be lost`);
  });

  test("a container that makes more events than its share loses its own, and no others'", async () => {
    await using watch = await startWatch({ eventRate: 100 });
    await image.run("i=0; while [ $i -lt 1000 ]; do chroot / /bin/true 2>/dev/null; i=$((i+1)); done");
    await image.run("chroot /tmp /bin/true 2>/dev/null; true");
    await watch.close();
    const limited = watch.records.reduce((most, record) => (record.type === "loss" ? Number(record.limited) : most), 0);
    const told = watch.records.flatMap((record) =>
      record.type === "call" && record.name === "chroot" ? [record.texts[0]] : [],
    );
    assert.ok(limited > 500, `${limited} passed over`);
    assert.equal(told.length, 1001 - limited, "each is told or counted");
    assert.ok(told.includes("/tmp"));
    assert.ok(watch.records.some((record) => record.type === "flood" && record.passedOver > 0n));
  });

  test("what a slow reader leaves is counted, and does not hold up the kernel", async () => {
    const child = spawn(sensorBinary, ["--buffer", "32768"], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const decoder = createDecoder();
      const records: DecodedRecord[] = [];
      // The last thing that it does before it begins. Nobody reads its output yet.
      await waitFor(async () => /^NoNewPrivs:\s+1$/m.test(await readFile(`/proc/${child.pid}/status`, "utf8")));
      await image.run("i=0; while [ $i -lt 600 ]; do /bin/true; i=$((i+1)); done; /bin/true the-last");
      const ended = new Promise((resolve) => child.stdout.on("end", resolve));
      child.stdout.on("data", (chunk: Buffer) => decoder.push(chunk, records));
      await waitFor(() => records.some((record) => record.type === "loss" && record.pipe > 0n));
      await image.run("/bin/true afterwards");
      await waitFor(() => records.some((record) => record.type === "exec" && record.arguments[1] === "afterwards"));
      child.kill("SIGTERM");
      await ended;
      decoder.end();
      const loss = records.findLast((record): record is LossRecord => record.type === "loss");
      assert.equal(loss?.ring, 0n);
      const came = records.filter(({ type }) => type === "fork" || type === "exec" || type === "exit").length;
      assert.ok(BigInt(came) + (loss?.pipe ?? 0n) >= 1800n, `${came} came, ${loss?.pipe} are said to be lost`);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("it has given up every capability once it runs", async () => {
    await using watch = await startWatch();
    const status = await readFile(`/proc/${watch.sensor.pid}/status`, "utf8");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      assert.match(status, new RegExp(`^${set}:\\s+0000000000000000$`, "m"));
    }
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    await image.run("/bin/true without-capabilities");
    await watch.until((record) => record.type === "exec" && record.arguments[1] === "without-capabilities");
  });

  test("being killed is told, being closed is not", async () => {
    const ends: SensorError[] = [];
    await using killed = await startWatch({ onExit: (error) => ends.push(error) });
    process.kill(killed.sensor.pid, "SIGKILL");
    await waitFor(() => ends.length > 0);
    assert.equal(ends[0]?.code, "stopped");
    assert.match(ends[0]?.message ?? "", /SIGKILL/);
    await killed.close();

    await using closed = await startWatch({ onExit: (error) => ends.push(error) });
    await closed.close();
    assert.equal(ends.length, 1);
    assert.equal(existsSync(`/proc/${closed.sensor.pid}`), false);
  });

  test("it ends with its parent, also when nobody closes its output", async () => {
    await using folder = await temporaryFolder();
    const frames = join(folder.path, "frames");
    const parent = spawn("/bin/sh", ["-c", `${sensorBinary} > ${frames} & echo $!; wait`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once("data", (text: Buffer) => resolve(Number(text.toString())));
    });
    try {
      await waitFor(() => existsSync(frames) && statSync(frames).size > 0);
    } finally {
      parent.kill("SIGKILL");
    }
    await waitFor(() => !existsSync(`/proc/${pid}`));
  });

  test("without the right to load programs it says so and how to mend it", async () => {
    await using folder = await temporaryFolder();
    const binary = join(folder.path, "sensor");
    await writeFile(
      binary,
      `#!/bin/sh\nexec /usr/bin/setpriv --bounding-set -all --inh-caps -all ${sensorBinary} "$@"\n`,
    );
    await chmod(binary, 0o700);
    await assert.rejects(startSensor({ binary, onRecords: () => {} }), (error) => {
      assert.ok(error instanceof SensorError && error.code === "unavailable");
      assert.match(error.message, /may not load eBPF programs: needs CAP_BPF/);
      assert.match(error.remedy ?? "", /root/);
      return true;
    });
  });

  test("in a PID namespace of its own it refuses: its process ids would mean nothing there", async () => {
    const call = promisify(execFile)("unshare", ["--pid", "--fork", sensorBinary]);
    const { code, stderr } = await call.catch((error) => error);
    assert.equal(code, 2);
    assert.match(stderr, /^bulwark-sensor: runs in a PID namespace of its own: .*hostPID: true\.\n$/);
  });

  for (const [what, own] of Object.entries({
    "has a mount namespace of its own": ["--mount"],
    "is a container, with processes of its own": ["--mount", "--pid", "--mount-proc"],
  })) {
    test(`on a node that ${what}, containers are told of by its numbers, and neither it nor what is of others`, async () => {
      await using node = await startNode(own);
      await using watch = await startWatch({ binary: node.sensor, onExit: () => undefined });
      await node.run("exec /bin/true of-the-node");
      const number = await node.run("unshare --mount sh -c 'echo $$; exec /bin/true of-a-container'");
      const other = await image.run("/bin/true of-another");
      const told = await watch.until((record) => record.type === "exec" && record.arguments.includes("of-a-container"));
      assert.ok(told.type === "exec");
      assert.equal(told.pid, Number(number));
      const hasOwnNumbers = own.includes("--pid");
      assert.equal(told.pid < 1000, hasOwnNumbers);
      if (!hasOwnNumbers)
        await watch.until((record) => record.type === "exec" && record.arguments.includes("of-another"));
      await node[Symbol.asyncDispose]();
      assert.ok(!watch.records.some((record) => record.type === "exec" && record.arguments.includes("of-the-node")));
      if (hasOwnNumbers) {
        const seen = watch.records.filter((record) => record.type === "exec" && record.cgroups.some(holds(other.id)));
        assert.deepEqual(seen, []);
      }
    });
  }

  test("in a pod, which sees no cgroups but its own, what all others send is told", async () => {
    const { path } = await temporaryFolder();
    const mount = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((at) => existsSync(at)) ?? "";
    const cgroup = join(mount, basename(path));
    await mkdir(cgroup);
    // As the chart has it: its own cgroup in the usual place, those of the node in another.
    const node = join(path, "node");
    await mkdir(node);
    const mounts = `mount --bind ${mount} ${node} && umount ${mount} && mount -t cgroup2 none ${mount}`;
    const pod = join(path, "pod");
    const script = `#!/bin/sh\necho 0 >${cgroup}/cgroup.procs && exec unshare --cgroup --mount sh -c '${mounts} && exec ${sensorBinary} "$@"' pod "$@"\n`;
    await writeFile(pod, script, { mode: 0o700 });
    try {
      await using watch = await startWatch({ binary: pod });
      await image.run("/bin/helper sockets");
      await watch.until(
        (record) => record.type === "socket" && record.operation === "send" && record.remote?.port === 4999,
      );
    } finally {
      await waitFor(async () =>
        rmdir(cgroup).then(
          () => true,
          () => false,
        ),
      );
      await rm(path, { recursive: true, force: true });
    }
  });

  test("an option that makes no sense is refused with exit code 2 and one line", async () => {
    const { code, stderr } = await promisify(execFile)(sensorBinary, ["--ring", "5000"]).catch((error) => error);
    assert.equal(code, 2);
    assert.match(stderr, /^bulwark-sensor: wrong option: --ring 5000\. Give a power of two\.\n$/);
  });

  test("times are the wall clock's", async () => {
    await using watch = await startWatch();
    const from = Date.now();
    await image.run("/bin/true the-time");
    const to = Date.now();
    await watch.close();
    const at = watch.sensor.epochMs(watch.exec(argument("the-time")).time);
    assert.ok(from - 2 <= at && at <= to + 2, `${from} ≤ ${at} ≤ ${to}`);
  });
});

const holds = (part: string) => (text: string) => text.includes(part);
const argument = (text: string) => (record: ProcessRecord) =>
  record.arguments.includes(text) && record.arguments[0] !== "/bin/sh";

interface Watch extends AsyncDisposable {
  sensor: Sensor;
  records: SensorRecord[];
  close(): Promise<void>;
  process(type: ProcessRecord["type"], is: (record: ProcessRecord) => boolean): ProcessRecord;
  exec(is: (record: ProcessRecord) => boolean): ProcessRecord;
  exits(): ExitRecord[];
  connection(type: ConnectionRecord["type"], port: number): ConnectionRecord;
  until(is: (record: SensorRecord) => boolean): Promise<SensorRecord>;
}

async function startWatch(options: Partial<SensorOptions> = {}): Promise<Watch> {
  const records: SensorRecord[] = [];
  const sensor = await startSensor({ ...options, onRecords: (batch) => records.push(...batch) });
  const find = <T extends SensorRecord>(what: string, is: (record: SensorRecord) => record is T): T => {
    const found = records.find(is);
    assert.ok(found, `no ${what} among ${records.length} records`);
    return found;
  };
  const process: Watch["process"] = (type, is) =>
    find(type, (record): record is ProcessRecord => record.type === type && is(record));
  return {
    sensor,
    records,
    close: () => sensor.close(),
    process,
    exec: (is) => process("exec", is),
    exits: () => records.filter((record) => record.type === "exit"),
    connection: (type, port) =>
      find(type, (record): record is ConnectionRecord => {
        if (record.type !== type) return false;
        return (type === "connect" ? record.remote : record.local).port === port;
      }),
    until: async (is) => {
      await waitFor(() => records.some(is));
      return find("such record", (record): record is SensorRecord => is(record));
    },
    [Symbol.asyncDispose]: () => sensor.close(),
  };
}

async function waitFor(holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`did not happen within ${limitMs} ms: ${holds.toString()}`);
    await pause(5);
  }
}

/** Something like a node with a pod, in which the sensor is started as by an agent: by a runtime of the node. */
async function startNode(namespaces: string[]) {
  const { path } = await temporaryFolder();
  const cgroup = join(["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((at) => existsSync(at)) ?? "", basename(path));
  await mkdir(cgroup);
  const script = async (name: string, text: string): Promise<string> => {
    await writeFile(join(path, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(path, name), 0o700);
    return join(path, name);
  };
  const pod = await script("pod", `echo 0 >${cgroup}/cgroup.procs && exec unshare --mount ${sensorBinary} "$@"`);
  const runtime = await script("runtime", `${pod} "$@"; exit`);
  const sensor = await script(
    "sensor",
    `echo $$ >${path}/started; exec unshare ${namespaces.join(" ")} --fork ${runtime} "$@"`,
  );
  const first = async (): Promise<string> => {
    const started = (await readFile(join(path, "started"), "utf8")).trim();
    return (await readFile(`/proc/${started}/task/${started}/children`, "utf8")).trim();
  };
  let isGone = false;
  return {
    sensor,
    /** Runs a shell script on the node; what it prints. */
    async run(text: string): Promise<string> {
      const into = ["-t", await first(), "--mount", ...(namespaces.includes("--pid") ? ["--pid"] : [])];
      return (await promisify(execFile)("nsenter", [...into, "sh", "-c", text])).stdout.trim();
    },
    async [Symbol.asyncDispose]() {
      if (isGone) return;
      isGone = true;
      for (const pid of (await readFile(join(cgroup, "cgroup.procs"), "utf8")).split("\n").filter(Boolean)) {
        process.kill(Number(pid), "SIGKILL");
      }
      // Until they are gone it is busy.
      await waitFor(async () =>
        rmdir(cgroup).then(
          () => true,
          () => false,
        ),
      );
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "bulwark-sensor-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
