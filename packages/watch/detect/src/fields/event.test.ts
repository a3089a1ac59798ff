import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Alert } from "@bulwark/model";
import { createEngine, loadRules } from "@bulwark/rules";
import type { ActivityRecord, CallRecord, FileRecord, SensorRecord } from "@bulwark/sensor";
import { sampleContainer, suitesDir } from "@bulwark/testkit";
import { socket, story } from "../cases.ts";
import { createDetectors } from "../detectors/index.ts";
import { rulesDetector } from "../detectors/rules.ts";
import { Pipeline, type Owner } from "../pipeline.ts";

const folder = join(import.meta.dirname, "../../../../../content/rules");
const files = globSync("*.yaml", { cwd: folder, exclude: ["*.cases.yaml"] }).toSorted();
const { ruleset } = loadRules(files.map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") })));
const container = sampleContainer(1, { id: "c1" });

/** The alerts of records that go the whole way: process table, owner, fields, rules. */
function alerts(
  records: SensorRecord[],
  owner: Owner = { attribution: "container", container },
  detectors = [rulesDetector(createEngine(ruleset))],
): Alert[] {
  const found: Alert[] = [];
  const pipeline = new Pipeline({
    node: "n",
    run: "r",
    detectors,
    ownerOf: () => owner,
    host: true,
    epoch: Number,
    now: () => 1_000_000,
    emit: (emitted) => found.push(...emitted.flatMap((item) => (item.type === "alert" ? [item.alert] : []))),
    missingOwner() {},
  });
  pipeline.push(records);
  return found;
}
const names = (records: SensorRecord[], owner?: Owner): string[] => alerts(records, owner).map(({ title }) => title);

const actor = {
  sequence: 100n,
  time: 100_000n,
  pid: 10,
  startTime: 10n,
  thread: 10,
  mountNamespace: 2,
  pidNamespace: 3,
  networkNamespace: 4,
  userNamespace: 5,
  uid: 0,
  effectiveUid: 0,
  savedUid: 0,
  capabilities: 1n << 21n,
};
const call = (
  name: string,
  values: bigint[],
  texts: (string | null)[] = [],
  change: Partial<CallRecord> = {},
): CallRecord => ({
  ...actor,
  type: "call",
  name,
  isCompat: false,
  arguments: values,
  texts,
  capability: 21,
  granted: true,
  result: null,
  ...change,
});
/** As the sensor sends it where files are watched by fanotify: the number of the process, and nothing else of it. */
const numberOnly = { ...actor, startTime: 0n, thread: 0, capabilities: 0n };
const file = (operation: FileRecord["operation"], path: string, newPath = ""): FileRecord => ({
  ...numberOnly,
  type: "file",
  operation,
  path,
  newPath,
  isDirectory: false,
  inode: 7n,
});

/** What the sensor tells, by the rule that has to fire. */
const deeds: [rule: string, program: string, deed: ActivityRecord][] = [
  [
    "Host device mounted in a container",
    "/bin/x",
    call("mount", [0n, 0n, 0n, 0n, 0n], ["/dev/sda1", "/mnt", "ext4", null, null]),
  ],
  [
    "Cgroup file system mounted in a container",
    "/bin/x",
    call("mount", [0n, 0n, 0n, 0n, 0n], ["cgroup", "/tmp/cg", "cgroup", null, null]),
  ],
  [
    "Read-only part of the container made writable",
    "/bin/x",
    call("mount", [0n, 0n, 0n, 32n, 0n], ["none", "/proc/sys", null, null, null]),
  ],
  ["User namespace made in a container", "/bin/x", call("unshare", [0x1000_0000n])],
  ["Process traced", "/bin/x", call("ptrace", [16n, 99n, 0n, 0n])],
  ["eBPF program loaded in a container", "/bin/x", call("bpf", [5n, 0n, 0n])],
  ["File opened by its handle", "/bin/x", call("open_by_handle_at", [3n, 0n, 0n], [], { granted: false })],
  ["Block device made in a container", "/bin/x", call("mknodat", [0n, 0n, 0o060_600n, 0n], [null, "/d", null, null])],
  [
    "Core dump handler of the host changed",
    "/bin/sh",
    { ...actor, type: "setting", operation: "write", name: "kernel/core_pattern", value: "|/x" },
  ],
  [
    "Disk of the host opened in a container",
    "/bin/dd",
    { ...actor, type: "device", kind: "block", major: 8, minor: 0, access: ["read"] },
  ],
  ["Passwords of the system read", "/bin/cat", file("read", "/etc/shadow")],
  ["Release agent of a cgroup written", "/bin/sh", file("write", "/tmp/cg/release_agent")],
  ["Scheduled task changed", "/bin/mv", file("rename", "/tmp/x", "/etc/cron.d/x")],
  ["Log removed or emptied", "/bin/rm", file("remove", "/var/log/auth.log")],
  ["File of another mount namespace opened", "/bin/cat", file("read", "(unreachable)/etc/hostname")],
  [
    "Socket of a container runtime used",
    "/usr/bin/curl",
    {
      ...actor,
      type: "socket",
      operation: "connect",
      family: 1,
      kind: 1,
      protocol: 0,
      local: null,
      remote: null,
      path: "/run/docker.sock",
    },
  ],
];
for (const [rule, program, deed] of deeds) {
  test(`what the sensor tells reaches the rule: ${rule}`, () => {
    assert.ok(names([story().exec(10, program), deed]).includes(rule));
  });
}

test("programs: parents, folders, connections", () => {
  const s = story();
  const web = [s.exec(9, "/usr/sbin/nginx"), s.fork(9, 10)];
  assert.ok(names([...web, s.exec(10, "/bin/sh -c id")]).includes("Web server starts a shell"));
  assert.ok(
    names([story().exec(10, "/bin/sh", { workingDirectory: "(unreachable)/" })]).includes(
      "Working directory outside of the container",
    ),
  );
  const connecting = story();
  assert.ok(
    names([connecting.exec(10, "/bin/bash"), connecting.connect(10, "198.51.100.9", 443)]).includes(
      "Shell connects to the network",
    ),
  );
});

test("a file that was reached through another process's mounts is marked, whatever it is called", () => {
  const write = (change: Partial<FileRecord>) => [
    story().exec(10, "/bin/x"),
    { ...file("write", "/etc/cron.d/job"), mountNamespace: 99, ...change },
  ];
  assert.deepEqual(names(write({ isThroughNamespace: true })), ["File of another mount namespace opened"]);
  assert.deepEqual(names(write({})), ["Scheduled task changed"], "by a volume that both have");
  assert.deepEqual(names(write({ isThroughNamespace: true, mountNamespace: 2 })), ["Scheduled task changed"]);
});

test("a log that is cut is a call of its own to rules, by a path or a descriptor", () => {
  const cut = (change: Partial<FileRecord>) => [
    story().exec(10, "/bin/x"),
    { ...file("truncate", "/var/log/app.log"), ...change },
  ];
  assert.deepEqual(names(cut({})), ["Log removed or emptied"]);
  assert.deepEqual(names(cut({ isByDescriptor: true })), ["Log removed or emptied"]);
  assert.deepEqual(names(cut({ path: "/tmp/x" })), []);
});

test("ordinary work is quiet", () => {
  const s = story();
  const quiet = [
    s.exec(10, "/usr/sbin/nginx"),
    s.connect(10, "10.1.2.3", 5432),
    file("read", "/etc/passwd"),
    file("write", "/var/log/nginx/access.log"),
    s.fork(10, 11),
    s.exec(11, "/usr/bin/python3 app.py", { stdio: [socket(1, "10.1.2.3", 9)] }),
    s.exit(11),
  ];
  assert.deepEqual(names(quiet), []);
});

test("what a detector has spoken of is not raised again by one of our rules, but by a user's own", () => {
  const own = loadRules([
    { name: "t", text: "- {rule: mine, desc: d, output: o, priority: INFO, condition: evt.type = mount}" },
  ]).ruleset;
  const deed = call("mount", [0n, 0n, 0n, 0n, 0n], ["/dev/sda1", "/mnt", "ext4", null, null]);
  const records = [story().exec(10, "/bin/x"), deed];
  const raised = alerts(records, undefined, [
    ...createDetectors(),
    rulesDetector(createEngine({ rules: [...ruleset.rules, ...own.rules] })),
  ]).map(({ rule }) => rule);
  assert.ok(raised.length === 2 && raised.includes("mine"), raised.join(" "));
});

test("an alert names its rule, what was seen, and what to do", () => {
  const [alert] = alerts([story().exec(10, "/bin/cat"), file("read", "/etc/shadow")]);
  assert.equal(alert?.rule, "passwords-of-the-system-read");
  assert.equal(alert?.severity, "high");
  assert.deepEqual(alert?.techniques, ["T1003.008"]);
  assert.match(alert?.remedy ?? "", /Change the passwords/);
  assert.equal(alert?.evidence.find(({ key }) => key === "fd.name")?.value, "/etc/shadow");
  assert.equal(alert?.container?.id, "c1");
});

test("the host is not a container, and who is not known is neither", () => {
  const records = (): SensorRecord[] => [story().exec(10, "/bin/cat"), file("read", "/etc/shadow")];
  assert.deepEqual(names(records(), { attribution: "host" }), []);
  const engine = createEngine(
    loadRules([
      {
        name: "t",
        text: "- {rule: h, desc: d, output: o, priority: INFO, condition: evt.type = execve and container.id = host}\n- {rule: c, desc: d, output: o, priority: INFO, condition: evt.type = execve and container.id != host}",
      },
    ]).ruleset,
  );
  const detector = rulesDetector(engine);
  const record = story().exec(10, "/bin/cat");
  const pipeline = new Pipeline({
    node: "n",
    run: "r",
    detectors: [],
    ownerOf: () => undefined,
    host: true,
    epoch: Number,
    now: () => 0,
    emit() {},
    missingOwner() {},
  });
  const process = pipeline.table.apply(record, 0);
  assert.ok(process);
  const seen = { kind: "exec" as const, record, process, table: pipeline.table, container: undefined, time: 0 };
  assert.equal(detector.detect({ ...seen, attribution: "unknown" }), undefined);
  const host = detector.detect({ ...seen, attribution: "host" });
  assert.ok(Array.isArray(host));
  assert.equal((host as { rule: { id: string } }[])[0]?.rule.id, "h");
});

test("of a file that was touched the user and the rights are those of the process", () => {
  const s = story();
  const text = [
    "- rule: seen",
    "  desc: x",
    "  condition: evt.type = openat and user.uid = 1000 and thread.cap_effective contains CAP_SYS_ADMIN",
    "  output: uid=%user.uid name=%user.name thread=%thread.tid rights=%thread.cap_effective",
    "  priority: NOTICE",
  ].join("\n");
  const one = loadRules([{ name: "x.yaml", text }]);
  const program = s.exec(10, "/bin/x", { effectiveUid: 1000, uid: 1000, capabilities: 1n << 21n });
  const [found] = alerts([program, file("write", "/tmp/x")], undefined, [rulesDetector(createEngine(one.ruleset))]);
  const output = found?.evidence.find(({ key }) => key === "output")?.value;
  assert.equal(output, "uid=1000 name=<NA> thread=10 rights=CAP_SYS_ADMIN");
});

const stable = join(suitesDir(), "falco/falco_rules.yaml");
test("Falco's own rule sees who writes a release agent by the process", { skip: !existsSync(stable) }, () => {
  const falco = loadRules([{ name: "falco_rules.yaml", text: readFileSync(stable, "utf8") }]);
  const engine = createEngine(falco.ruleset);
  const titles = (process: { effectiveUid: number; capabilities: bigint }): string[] => {
    const records = [story().exec(10, "/bin/sh", process), file("write", "/tmp/cg/release_agent")];
    return alerts(records, undefined, [rulesDetector(engine)]).map(({ title }) => title);
  };
  const rule = "Detect release_agent File Container Escapes";
  assert.ok(titles({ effectiveUid: 0, capabilities: 1n << 21n }).includes(rule));
  assert.ok(!titles({ effectiveUid: 0, capabilities: 0n }).includes(rule), "it needs CAP_SYS_ADMIN");
  assert.ok(!titles({ effectiveUid: 1000, capabilities: 1n << 21n }).includes(rule), "and root or CAP_DAC_OVERRIDE");
});

test(
  "Falco's rules see logs emptied, paths that go up and a process that is to be traced",
  { skip: !existsSync(stable) },
  () => {
    const falco = loadRules([{ name: "falco_rules.yaml", text: readFileSync(stable, "utf8") }]);
    const engine = createEngine(falco.ruleset);
    const seen = (record: CallRecord): string[] =>
      alerts([story().exec(10, "/usr/bin/server"), record], undefined, [rulesDetector(engine)]).map(
        ({ title }) => title,
      );
    const opened = (written: string, place: string, flags: number, result = 3): CallRecord => ({
      ...call("openat", [0xffff_ff9cn, 0n, 0n], [null, written], {
        capability: null,
        granted: null,
        result,
        isTraced: true,
      }),
      opened: { place, flags, mode: result < 0 ? 0 : 0o100_000 },
    });
    const [emptied, up, debug] = [
      "Clear Log Activities",
      "Directory traversal monitored file read",
      "PTRACE anti-debug attempt",
    ];
    assert.deepEqual(seen(opened("syslog", "/var/log/syslog", 0o1001)), [emptied]);
    assert.deepEqual(seen(opened("syslog", "/var/log/syslog", 0o2001)), []);
    assert.deepEqual(seen(opened("../../etc/pam.conf", "/etc/pam.conf", 0)), [up]);
    assert.deepEqual(seen(opened("/srv/../../etc/../etc/pam.conf", "/", 0, -13)), [up]);
    assert.deepEqual(seen(opened("../../etc/secret", "/srv/www", 0, -2)), [up], "from where it was written");
    assert.deepEqual(seen(opened("../../srv/x", "/srv/x", 0)), []);
    const unasked = { capability: null, granted: null, result: 0, isTraced: true as const };
    assert.deepEqual(seen(call("ptrace", [0n, 0n, 0n, 0n], [], unasked)), [debug]);
  },
);

test("a rule that asks for no tracing sees a deed once, though it is told in two ways", () => {
  const text = ["a", "b"].map(
    (name) =>
      `- rule: ${name}\n  desc: x\n  condition: evt.type = openat and evt.is_open_write = true${
        name === "a" ? "" : " and evt.arg.flags contains O_TRUNC"
      }\n  output: x\n  priority: NOTICE`,
  );
  const engine = createEngine(loadRules([{ name: "x.yaml", text: text.join("\n") }]).ruleset);
  const titles = (record: SensorRecord): string[] =>
    alerts([story().exec(10, "/bin/sh"), record], undefined, [rulesDetector(engine)]).map(({ title }) => title);
  const traced = call("openat", [0n, 0n, 0n], [null, "/tmp/x"], {
    capability: null,
    granted: null,
    result: 3,
    isTraced: true,
  });
  assert.deepEqual(titles({ ...traced, opened: { place: "/tmp/x", flags: 0o1001, mode: 0o100_000 } }), ["b"]);
  assert.deepEqual(titles(file("write", "/tmp/x")), ["a"]);
});

test("a rule sees a connection end by what it was connected to", () => {
  const text = [
    "- rule: ended",
    "  desc: x",
    "  condition: evt.type = closed and fd.sport = 22 and fd.l4proto = tcp",
    "  output: x",
    "  priority: NOTICE",
  ].join("\n");
  const engine = createEngine(loadRules([{ name: "x.yaml", text }]).ruleset);
  const titles = (operation: "closed" | "established", port: number): string[] => {
    const ends = { local: { ip: "10.0.0.2", port: 40_000 }, remote: { ip: "10.0.0.3", port } };
    const record = { ...actor, type: "socket" as const, operation, family: 2, kind: 1, protocol: 6, path: "", ...ends };
    return alerts([story().exec(10, "/bin/ssh"), record], undefined, [rulesDetector(engine)]).map(({ title }) => title);
  };
  assert.deepEqual(titles("closed", 22), ["ended"]);
  assert.deepEqual(titles("closed", 23), []);
  assert.deepEqual(titles("established", 22), []);
});

test("a rule reads the environment of a process, and a child that has begun no program has its parent's", () => {
  const text = [
    "- rule: preloaded",
    "  desc: x",
    '  condition: evt.type = openat and proc.env[LD_PRELOAD] startswith /tmp/ and proc.env contains "B=2"',
    "  output: of=%proc.env[LD_PRELOAD] none=%proc.env[NONE] above=%proc.aenv[1]",
    "  priority: NOTICE",
  ].join("\n");
  const engine = createEngine(loadRules([{ name: "x.yaml", text }]).ruleset);
  const outputs = (environment?: string[]): unknown[] => {
    const s = story();
    const records = [s.exec(9, "/bin/sh", environment && { environment }), s.fork(9, 10), file("write", "/tmp/x")];
    return alerts(records, undefined, [rulesDetector(engine)]).map(({ evidence }) => evidence[0]?.value);
  };
  assert.deepEqual(outputs(["LD_PRELOAD=/tmp/x.so", "B=2"]), ["of=/tmp/x.so none=<NA> above=LD_PRELOAD=/tmp/x.so B=2"]);
  assert.deepEqual(outputs(["LD_PRELOAD=/usr/lib/x.so", "B=2"]), []);
  assert.deepEqual(outputs(), []);
});
