import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { eventually, makeRootfs, missing } from "@bulwark/testkit";
import type { FileRecord } from "./activity-record.ts";
import { buildSensor } from "./build.ts";
import { makeImage, type TestImage } from "./live/container.ts";
import type { ProcessRecord, ReadyRecord, SensorRecord } from "./record.ts";
import { startSensor, type SensorAsks } from "./sensor.ts";
import { tracedCalls } from "./system-calls.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");

describe("what processes in containers do", { skip }, () => {
  let image: TestImage;
  before(async () => {
    await buildSensor();
    image = await makeImage();
  });
  after(() => image?.[Symbol.asyncDispose]());

  /** What was told of a kind while a script ran in a container with all capabilities, by the process that did it. */
  async function records<Type extends SensorRecord["type"]>(
    type: Type,
    script: string,
    privileged = true,
    more: SensorAsks = {},
  ): Promise<Extract<SensorRecord, { type: Type }>[]> {
    const all: SensorRecord[] = [];
    await using sensor = await startSensor({ ...more, onRecords: (batch) => all.push(...batch) });
    const { output, id } = await image.run(script, 0, privileged);
    await pause(30);
    await sensor.close();
    // Of this container only: other tests run some, too. Until it begins the container's program, the first process is the
    // runtime that sets the container up.
    const began = new Map<number, bigint>();
    for (const record of all) {
      const isInside =
        (record.type === "exec" && record.cgroups.some((path) => path.endsWith(id))) ||
        (record.type === "fork" && began.has(record.parentPid));
      if (isInside && !began.has(record.pid)) began.set(record.pid, record.sequence);
    }
    const found = all.filter((record): record is Extract<SensorRecord, { type: Type }> => record.type === type);
    assert.ok(found.length > 0, `no ${type} among ${all.length} records: ${output}`);
    return found.filter((record) => "pid" in record && record.sequence > (began.get(record.pid) ?? record.sequence));
  }
  const shown = (calls: Extract<SensorRecord, { type: "call" }>[], name: string) =>
    calls.filter((call) => call.name === name);

  test("a mount is told with what, where and of which type, granted or refused", async () => {
    const script = "mount -t tmpfs nothing /tmp; umount /tmp";
    const [granted] = shown(await records("call", script), "mount");
    assert.deepEqual(granted?.texts.slice(0, 3), ["nothing", "/tmp", "tmpfs"]);
    assert.deepEqual([granted?.capability, granted?.granted], [21, true]);
    const [refused] = shown(await records("call", script, false), "mount");
    assert.deepEqual(refused?.texts.slice(0, 3), ["nothing", "/tmp", "tmpfs"]);
    assert.equal(refused?.granted, false);
  });

  test("calls that ask for no right are told where they are wanted, with what they returned", async () => {
    const calls = await records("call", "/bin/helper rightless; true", false, { calls: [...tracedCalls] });
    const told = calls.filter(({ capability }) => capability === null);
    const [memory, file] = [
      calls.find(({ name }) => name === "mmap"),
      calls.find(({ name }) => name === "memfd_create"),
    ];
    assert.deepEqual(
      told.map(({ name }) => name).filter((name) => name !== "prctl"),
      ["memfd_create", "mprotect", "mmap", "personality", "fcntl"],
      "not memory that is only read, nor a descriptor that is only changed",
    );
    assert.deepEqual([file?.texts[0], file?.granted], ["note", null]);
    assert.ok((file?.result ?? -1) > 2);
    assert.equal(memory?.arguments[2], 5n, "PROT_READ | PROT_EXEC");
    assert.equal(calls.find(({ name }) => name === "fcntl")?.result, 2);
  });

  test("of files that are opened it is told where they were emptied, refused, or reached by going up", async () => {
    const script = `cd /tmp; : >empty; : >>kept; cat kept ./kept ..hidden .../x >/dev/null 2>&1; cat /bin/../bin/helper
      cat ../bin/none; ln -s /bin/helper link; cat /tmp/../tmp/link; /bin/busybox chmod 0 kept; cat kept`;
    const calls = await records("call", `(${script}) 2>/dev/null | cat >/dev/null`, false, {
      calls: ["open", "openat", "openat2"],
    });
    const told = calls.flatMap(({ capability, texts, opened, result, name }) =>
      capability === null && opened ? [[texts[name === "open" ? 0 : 1], opened.place, Math.min(result ?? 0, 3)]] : [],
    );
    assert.deepEqual(told, [
      ["empty", "/tmp/empty", 3],
      ["/bin/../bin/helper", "/bin/helper", 3],
      ["../bin/none", "/tmp", -constants.errno.ENOENT],
      ["/tmp/../tmp/link", "/bin/helper", 3],
      ["kept", "/tmp", -constants.errno.EACCES],
    ]);
  });

  test("a connection that is moved onto a standard descriptor is told with both its ends", async () => {
    const moved = await records("call", "/bin/helper shell 127.0.0.1 4445", false, { calls: ["dup2", "dup3"] });
    assert.deepEqual(
      moved.map(({ name, result, socket }) => [name, result, socket?.remote]),
      [0, 1, 2].map((descriptor) => ["dup2", descriptor, { ip: "127.0.0.1", port: 4445 }]),
    );
  });

  test("files that are asked for are told when they are opened, those that are made later from their first write on", async () => {
    const script = `/bin/busybox usleep 200000; cat /bin/helper >/dev/null; cat /bin/chroot >/dev/null
      echo key >/tmp/late; echo other >/tmp/other; /bin/busybox usleep 200000; cat /tmp/late /tmp/other`;
    const files = await records("file", script, false, { opened: ["/bin/helper", "/tmp/late"] });
    const read = files.flatMap(({ operation, path }) => (operation === "read" ? [path] : []));
    assert.deepEqual(read, ["/bin/helper", "/tmp/late"]);
    const below = await records("file", script, false, { opened: ["/bin"] });
    assert.ok(below.some(({ operation, path }) => operation === "read" && path === "/bin/helper"));
  });

  test("variables that are asked for are told of programs that begin, and of those that ran before", async () => {
    const all: SensorRecord[] = [];
    await using running = await image.start("MARK=before exec /bin/busybox sleep 30");
    await using sensor = await startSensor({ environment: ["MARK"], onRecords: (batch) => all.push(...batch) });
    await image.run("MARK=one OTHER=no /bin/helper one; MARK=two /bin/helper two; /bin/helper three");
    await sensor.close();
    const told = all.flatMap((record) =>
      (record.type === "exec" || record.type === "snapshot") && record.environment
        ? [[record.type, record.arguments[1], record.environment.join(" ")].join(" ")]
        : [],
    );
    const expected = ["exec one MARK=one", "exec two MARK=two", "exec three ", "snapshot sleep MARK=before"];
    assert.deepEqual(
      expected.filter((line) => !told.includes(line)),
      [],
      `${running.id}: ${told.join("\n")}`,
    );
  });

  test("a file that is watched for being opened stays so when the kernel forgets its name, is copied up, or has another", async () => {
    // What remounts a file system forgets all names that nobody holds.
    const forget = "/bin/busybox usleep 150000; mount -o remount /";
    const script = `${forget}; cat /opt/key; ${forget}; cat /opt/key; chmod 600 /opt/key; ${forget}; cat /opt/key
      ln /opt/key /opt/other; ${forget}; cat /opt/other /opt/key; cat /opt/key >/opt/new; ${forget}
      /bin/busybox mv /opt/new /opt/key; ${forget}; cat /opt/key; ${forget}; /bin/busybox rm /opt/key /opt/other
      echo x >/tmp/key; ${forget}; /bin/busybox mv /tmp/key /opt/key; ${forget}; cat /opt/key /bin/sh >/dev/null; true`;
    const files = await records("file", script, true, { opened: ["/opt/key"] });
    const read = files.flatMap(({ operation, path }) => (operation === "read" ? [path] : []));
    assert.deepEqual(
      read,
      Array.from({ length: 8 }, () => "/opt/key"),
    );
  });

  test("a shared object that was written in the container is told when it is mapped to be executed, and not when it is read", async () => {
    // The header is enough: ET_DYN.
    const object = "/bin/busybox printf '\\177ELF\\2\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\3\\0%064d' 0";
    const script = `/bin/busybox usleep 200000; ${object} >/tmp/lib; echo text >/tmp/text
      cp /tmp/lib /tmp/copy; cat /tmp/lib >/dev/null; /bin/busybox usleep 300000; for i in lib text; do /bin/helper map /tmp/$i; done
      /bin/helper map /bin/cat; /bin/busybox mv /tmp/lib /tmp/moved; /bin/helper map /tmp/moved; true`;
    const files = await records("file", script, false);
    const told = files.flatMap(({ operation, path }) =>
      operation === "execute" || operation === "read" ? [`${operation} ${path}`] : [],
    );
    assert.deepEqual(told, ["execute /tmp/lib", "execute /tmp/moved"]);
  });

  test("files are watched as long as any process of a container lives, not the one that was seen first", async () => {
    const root = mkdtempSync(join(tmpdir(), "bulwark-root-"));
    try {
      makeRootfs(root);
      // The shell reads the second for what it starts beside itself.
      for (const name of ["etc/shadow", "dev/null"]) writeFileSync(join(root, name), "x");
      const all: SensorRecord[] = [];
      await using sensor = await startSensor({ onRecords: (batch) => all.push(...batch) });
      const script = "(sleep 0.5; cat /etc/shadow) & sleep 0.2";
      await once(spawn("unshare", ["--mount", "chroot", root, "/bin/sh", "-c", script], { stdio: "ignore" }), "exit");
      const reader = await eventually("the second is there", () =>
        all.flatMap((record) => (record.type === "exec" && record.arguments[0] === "cat" ? [record.pid] : [])).at(0),
      );
      await pause(100);
      await sensor.close();
      const reads = all.flatMap((record) => (record.type === "file" && record.operation === "read" ? [record] : []));
      assert.ok(reads.some(({ pid, path }) => pid === reader && path.endsWith("/etc/shadow")));
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  test("directories that are asked for are watched for changes, and what leads to them is not told", async () => {
    const script = `/bin/busybox usleep 200000; mkdir -p /srv-a/app /srv-a/other; /bin/busybox usleep 200000
      mkdir /srv-a/app/dir; echo x >/srv-a/app/file; chmod 600 /srv-a/app/file; /bin/busybox mv /srv-a/app/file /srv-a/app/new
      /bin/busybox rm /srv-a/app/new; mkdir /srv-a/other/dir; /bin/busybox rm -r /srv-a`;
    const files = await records("file", script, false, { changed: ["/srv-a/app"] });
    const told = files.flatMap(({ operation, path, newPath }) =>
      operation === "write" || !path.startsWith("/srv-a/") ? [] : [[operation, path, newPath].join(" ").trim()],
    );
    // What the kernel side tells comes at its time.
    assert.deepEqual(
      told.toSorted(),
      [
        ...["attributes /srv-a/app/file", "create /srv-a/app/dir", "create /srv-a/app/file", "remove /srv-a/app/dir"],
        ...["remove /srv-a/app/new", "rename /srv-a/app/file /srv-a/app/new"],
      ],
      told.join("\n"),
    );
  });

  test("new namespaces, another root, a device node, a raw socket, another user", async () => {
    const calls = await records(
      "call",
      "unshare -n /bin/true; chroot / /bin/true; mknod /tmp/disk b 8 0; /bin/helper raw; /bin/helper setuid 7; /bin/true",
    );
    assert.equal(shown(calls, "unshare")[0]?.arguments[0], 0x4000_0000n, "CLONE_NEWNET");
    assert.equal(shown(calls, "chroot")[0]?.texts[0], "/");
    const node = [...shown(calls, "mknodat"), ...shown(calls, "mknod")][0];
    assert.ok(node?.texts.includes("/tmp/disk"));
    assert.equal(shown(calls, "socket")[0]?.capability, 13, "CAP_NET_RAW");
    assert.equal(shown(calls, "setuid")[0]?.arguments[0], 7n);
  });

  test("a look into an overlay, which the kernel does with the rights of who mounted it, gives nobody rights", async () => {
    const all: SensorRecord[] = [];
    await using sensor = await startSensor({ onRecords: (batch) => all.push(...batch) });
    await image.run("/bin/busybox mount -t tmpfs x /fresh/none; /bin/busybox mount -t tmpfs x /fresh", 1000);
    await pause(50);
    await sensor.close();
    const calls = all.flatMap((record) => (record.type === "call" && record.name === "mount" ? [record] : []));
    const mounts = calls.filter(({ texts }) => texts[1]?.startsWith("/fresh") === true);
    assert.deepEqual(
      mounts.map(({ texts, granted, effectiveUid, capabilities }) => [texts[1], granted, effectiveUid, capabilities]),
      [["/fresh", false, 1000, 0n]],
    );
  });

  test("forks, which ask whether memory may be overcommitted, are no calls that are told of", async () => {
    const calls = await records(
      "call",
      "mount -t tmpfs x /tmp; i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done",
    );
    assert.deepEqual([...new Set(calls.map(({ name }) => name))], ["mount"]);
  });

  test("the same call again and again is told once a second", async () => {
    const calls = shown(await records("call", "/bin/helper chroots 1000"), "chroot");
    assert.equal(calls.length, 1);
  });

  test("a 32-bit call is told by its name, not by what its number is in the other table", async () => {
    const calls = await records("call", "/bin/helper compat-mount");
    const mount = calls.find(({ isCompat }) => isCompat);
    assert.equal(mount?.name, "mount");
    assert.equal(mount?.texts[1], "/nowhere");
  });

  test("a kernel setting that is written is told with its value", async () => {
    const [setting] = await records(
      "setting",
      "cat /proc/sys/net/ipv4/ip_forward > /tmp/v; cat /tmp/v > /proc/sys/net/ipv4/ip_forward",
    );
    assert.deepEqual([setting?.operation, setting?.name, setting?.value], ["write", "net/ipv4/ip_forward", "0\n"]);
  });

  test("a disk's node is told when it is made and opened, /dev/null is not", async () => {
    const devices = await records(
      "device",
      "mknod /dev/disk b 8 0; cat /dev/disk; mknod /dev/nothing c 1 3; cat /dev/nothing",
    );
    const told = devices.map(({ kind, major, minor, access }) => `${access.join()} ${kind} ${major}:${minor}`);
    // An open asks twice.
    assert.deepEqual([...new Set(told)], ["make block 8:0", "read block 8:0"]);
  });

  test("listening, sending, and a Unix socket that is connected to", async () => {
    const sockets = await records("socket", "/bin/helper sockets");
    const told = sockets.map((record) => [record.operation, record.path || (record.remote ?? record.local)?.port]);
    assert.deepEqual(told, [
      ["send", 4999],
      ["bind", 4998],
      ["listen", 4998],
      ["connect", "/nowhere.sock"],
      ["connect", "@nowhere"],
    ]);
  });

  test("a connection is told as established and as closed where that is asked for, by who made it; a refused one is not", async () => {
    const script = `/bin/busybox nc -l -p 4571 </dev/null >/dev/null & /bin/busybox usleep 100000
      echo x | /bin/busybox nc 127.0.0.1 4571; echo x | /bin/busybox nc 127.0.0.1 4572; /bin/busybox usleep 100000`;
    const courses = async (asked: boolean): Promise<unknown[]> => {
      const sockets = await records("socket", script, false, { courses: asked });
      return sockets.flatMap(({ operation, remote, local, pid }) =>
        operation === "established" || operation === "closed"
          ? [[operation, remote?.port, (local?.port ?? 0) > 0, pid > 0]]
          : [],
      );
    };
    assert.deepEqual(await courses(true), [
      ["established", 4571, true, true],
      ["closed", 4571, true, true],
    ]);
    assert.deepEqual(await courses(false), []);
  });

  test("files that are written, made, renamed, given other rights and removed, by whom and where in the container", async () => {
    const script = `
      mkdir -p /etc/cron.d; /bin/busybox usleep 200000
      echo x > /etc/cron.d/job; chmod 600 /etc/cron.d/job; /bin/busybox usleep 100000
      /bin/busybox mv /etc/cron.d/job /etc/cron.d/other; /bin/busybox ln -s /etc /link; echo y >> /link/cron.d/other
      /bin/busybox usleep 100000; /bin/busybox rm /etc/cron.d/other`;
    const { files } = await fileRecords(script);
    const told = files.map(({ operation, path, newPath }) => [operation, path, newPath].join(" ").trim());
    for (const expected of [
      "create /etc/cron.d/job",
      "write /etc/cron.d/job",
      "attributes /etc/cron.d/job",
      "rename /etc/cron.d/job /etc/cron.d/other",
      "write /etc/cron.d/other",
      "remove /etc/cron.d/other",
    ]) {
      assert.ok(told.includes(expected), `${expected} is not among\n${told.join("\n")}`);
    }
  });

  test("rights and times of what is in a watched directory are told by its own path, also of what another name leads to", async () => {
    const { files } = await fileRecords(`
      mkdir -p /etc/cron.d /srv/www /var; ln -s /srv/www /var/www; /bin/busybox usleep 200000
      echo x > /etc/cron.d/job; echo y > /srv/www/page; echo z > /srv/other; /bin/busybox ln /srv/other /srv/second
      cd /etc/cron.d; /bin/busybox usleep 100000; chmod 600 job; chmod 700 /etc/cron.d; chmod 600 /srv/other /srv/second
      chmod 600 /missing; echo more >> job; chmod 600 /var/www/page; /bin/busybox touch -d 2020-01-01 /etc/cron.d/job
      /bin/busybox ln /etc/cron.d/job /srv/job; chmod 640 /etc/cron.d/job; /bin/busybox rm /srv/job`);
    const told = files.filter(({ operation }) => operation === "attributes");
    const places = told.map(({ path, isDirectory }) => `${path}${isDirectory ? "/" : ""}`);
    // Where fanotify tells of a directory, it is an entry of its own; what it tells comes at its time.
    assert.deepEqual(places.map((path) => path.replace("/./", "/")).toSorted(), [
      "/etc/cron.d/",
      "/etc/cron.d/job",
      "/etc/cron.d/job",
      "/etc/cron.d/job",
      "/var/www/page",
    ]);
    assert.ok(told.every(({ pid, isThroughNamespace }) => pid > 0 && isThroughNamespace === undefined));
  });

  test("a file that is written to and kept open is told at its first write, and what is cut, by a path too, which nobody opens", async (t) => {
    const { files, hooks } = await fileRecords(`
      mkdir -p /var/log /srv /etc/cron.d; echo 12345678 >/var/log/a; cp /var/log/a /var/log/b; cp /var/log/a /var/log/c
      cp /var/log/a /srv/log; echo x >/etc/cron.d/held; /bin/busybox usleep 300000
      /bin/helper truncate /var/log/a 4; /bin/busybox truncate -s 2 /var/log/b; : >/var/log/c; : >/var/log/new
      /bin/helper truncate /var/log/a 100; /bin/helper truncate /srv/log 0; : >/var/log/c
      sh -c 'exec 3>>/etc/cron.d/held; echo y >&3; echo z >&3; /bin/busybox usleep 100000; echo >>/tmp/behind; kill -9 $$'`);
    if (!hooks.some(({ event }) => event.split(",").includes("truncate"))) return t.skip("before Linux 6.13");
    const cut = files.filter(({ operation }) => operation === "truncate");
    assert.deepEqual(
      cut.map(({ path, isByDescriptor }) => [path, isByDescriptor]),
      [
        ["/var/log/a", undefined],
        ["/var/log/b", true],
        ["/var/log/c", undefined],
      ],
      "not what becomes longer, is empty already or new, or is in no watched directory",
    );
    const written = files.filter(({ operation }) => operation === "write");
    const behind = written.find(({ path }) => path === "/tmp/behind");
    const held = written.filter(({ path, pid }) => path === "/etc/cron.d/held" && pid === behind?.pid);
    assert.deepEqual(
      held.map(({ isOpen }) => isOpen),
      [true, undefined],
    );
    const [first, last] = held.map(({ sequence }) => sequence);
    const at = behind?.sequence ?? 0n;
    assert.ok(
      held.length === 2 && (first ?? at) < at && at < (last ?? at),
      "at once, and once; again when it is closed",
    );
  });

  test("what is made, linked, renamed and put into a directory of /dev is told with who did it, and what goes is not", async () => {
    const { files, hooks } = await fileRecords(`
      echo x >/dev/hidden; mkdir /dev/.store; echo y >/dev/.store/tool; /bin/busybox ln /dev/.store/tool /dev/second
      /bin/busybox ln -s /etc /dev/link; /bin/busybox mv /dev/hidden /dev/renamed; mkfifo /dev/pipe
      echo more >>/dev/renamed; cat /dev/renamed >/dev/null; /bin/busybox rm /dev/renamed /dev/pipe; /bin/busybox ls /dev/missing`);
    const made = files.filter(({ operation }) => operation === "create");
    const told = made.map(({ path, isDirectory }) => `${path}${isDirectory ? "/" : ""}`);
    // Where fanotify tells of it a rename is one, and directories in /dev are not watched.
    const expected = "hidden .store/ .store/tool second link renamed pipe".split(" ").map((name) => `/dev/${name}`);
    if (hooks.some(({ hook }) => hook === "tp_btf/ctime_ns_xchg")) assert.deepEqual(told, expected);
    else assert.ok(told.includes("/dev/hidden") && told.includes("/dev/link"), told.join(" "));
    assert.ok(made.every(({ pid, isThroughNamespace }) => pid > 0 && isThroughNamespace === undefined));
  });

  test("a secret that is opened is told, also when it was made later, and other files are not", async () => {
    const { files } = await fileRecords(`
      mkdir -p /etc; /bin/busybox usleep 100000; echo x > /etc/shadow; echo x > /etc/other; /bin/busybox usleep 200000
      cat /etc/shadow /etc/other`);
    const read = files.filter(({ operation }) => operation === "read").map(({ path }) => path);
    assert.deepEqual([...new Set(read)], ["/etc/shadow"]);
  });

  test("whether a file was reached by its own container's mounts is told, whoever it was: so is what comes in through /proc/PID/root", async () => {
    const all: SensorRecord[] = [];
    await using sensor = await startSensor({ onRecords: (batch) => all.push(...batch) });
    const script = "/bin/busybox usleep 300000; echo x > /tmp/own; sleep 60";
    await using container = await image.start(script);
    const first = await eventually("it is told", () =>
      all.find(
        (record): record is ProcessRecord =>
          record.type === "exec" && record.cgroups.some((path) => path.endsWith(container.id)),
      ),
    );
    const written = async (name: string): Promise<FileRecord> =>
      eventually(`${name} is told`, () =>
        all.find(
          (record): record is FileRecord =>
            record.type === "file" &&
            record.operation === "write" &&
            record.path.endsWith(name) &&
            record.mountNamespace === first.mountNamespace,
        ),
      );
    const own = await written("/tmp/own");
    assert.deepEqual([own.isThroughNamespace, own.pid], [undefined, first.pid]);
    writeFileSync(`/proc/${first.pid}/root/tmp/by-root`, "x");
    const byRoot = await written("/tmp/by-root");
    assert.deepEqual([byRoot.isThroughNamespace, byRoot.pid], [true, process.pid]);
    writeFileSync(join(image.folder, "rootfs/tmp/by-mount"), "x");
    assert.equal((await written("/tmp/by-mount")).isThroughNamespace, undefined);
    await sensor.close();
  });

  /** Of containers of this test only: others that run here write too. */
  async function fileRecords(script: string): Promise<{ files: FileRecord[]; hooks: ReadyRecord["hooks"] }> {
    const all: SensorRecord[] = [];
    await using sensor = await startSensor({ onRecords: (batch) => all.push(...batch) });
    const { id } = await image.run(`/bin/busybox usleep 200000; ${script}; /bin/busybox usleep 200000`);
    await sensor.close();
    const inside = all.find(
      (record) =>
        record.type === "exec" && record.cgroups.some((path) => path.endsWith(id)) && record.containerPid === 1,
    );
    assert.ok(inside?.type === "exec");
    const files = all.filter((record): record is FileRecord => record.type === "file");
    return { files: files.filter((record) => record.mountNamespace === inside.mountNamespace), hooks: sensor.hooks };
  }

  test("a signal to another process is told with both", async () => {
    const [signal] = await records(
      "signal",
      "/bin/sleep 60 & /bin/busybox usleep 50000; /bin/busybox kill -9 $!; wait",
    );
    assert.equal(signal?.signal, 9);
    assert.equal(signal?.target.name, "sleep");
    assert.equal(signal?.target.pidNamespace, signal?.pidNamespace);
  });
});
