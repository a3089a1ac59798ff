import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentRecord, Alert, Event } from "@bulwark/model";
import type { SensorRecord } from "@bulwark/sensor";
import { sampleContainer } from "@bulwark/testkit";
import { pipe, socket, sockets, story, unix } from "./cases.ts";
import { observationKinds, type Detector } from "./detector.ts";
import { createDetectors } from "./detectors/index.ts";
import { ownProcesses } from "./own.ts";
import { Pipeline, type Owner } from "./pipeline.ts";

const container = sampleContainer(1, { id: "c1" });
const evil = ["198.51.100.9", 4444] as const;

function judge(
  records: SensorRecord[],
  ownerOf: (cgroups: readonly string[]) => Owner = () => ({ attribution: "container", container }),
  detectors: readonly Detector[] = createDetectors(),
  more: Partial<ConstructorParameters<typeof Pipeline>[0]> = {},
) {
  const out: AgentRecord[] = [];
  const clock = { now: 1_000_000 };
  const pipeline = new Pipeline({
    node: "n",
    run: "r",
    detectors,
    ownerOf,
    host: false,
    epoch: (time) => Number(time),
    now: () => clock.now,
    emit: (emitted) => out.push(...emitted),
    missingOwner() {},
    ...more,
  });
  pipeline.push(records);
  return {
    pipeline,
    clock,
    alerts: (): Alert[] => out.flatMap((item) => (item.type === "alert" ? [item.alert] : [])),
    repeats: () => out.flatMap((item) => (item.type === "repeats" ? item.repeats : [])),
    events: (): Event[] => out.flatMap((item) => (item.type === "event" ? [item.event] : [])),
  };
}

test("a file that is told at its first write is judged then, and not once more when it is closed", () => {
  const s = story();
  const writes: SensorRecord[] = [];
  const detector: Detector = {
    ...(createDetectors()[0] as Detector),
    needs: ["file"],
    detect({ record }) {
      if (record) writes.push(record);
      return undefined;
    },
  };
  const write = (pid: number, isOpen?: true): SensorRecord =>
    s.does(pid, {
      ...{ type: "file", operation: "write", path: "/etc/cron.d/job", newPath: "", isDirectory: false, inode: 1n },
      ...(isOpen && { isOpen }),
    });
  const told = [write(10, true), write(11), write(10), write(10), write(11, true), write(11, true), write(11)];
  const { events } = judge([s.exec(10, "/bin/a"), s.exec(11, "/bin/b"), ...told], undefined, [detector]);
  const news = told.filter((_, index) => index !== 2 && index !== 6);
  assert.deepEqual(writes, news);
  assert.equal(events().filter(({ kind }) => kind === "file").length, news.length);
});

/** Stories in which somebody on the network types into a shell. */
const reverseShells: Record<string, (s: ReturnType<typeof story>) => SensorRecord[]> = {
  "nc -e": (s) => [
    s.exec(10, "/bin/nc -e /bin/sh"),
    s.connect(10, ...evil),
    s.exec(10, "/bin/sh", { stdio: sockets(...evil) }),
  ],
  "bash -i >& /dev/tcp": (s) => [
    s.exec(10, "/bin/bash"),
    s.fork(10, 11),
    s.connect(11, ...evil),
    s.exec(11, "/bin/bash -i", { stdio: sockets(...evil) }),
  ],
  "only standard input is the socket": (s) => [
    s.exec(10, "/usr/bin/zsh", { stdio: [socket(0, ...evil), pipe(1), pipe(2)] }),
  ],
  "python moves a socket onto itself, then starts a command": (s) => [
    s.exec(10, "/usr/bin/python3.11 -c x"),
    s.connect(10, ...evil),
    s.fork(10, 11, { stdio: sockets(...evil) }),
    s.exec(11, "/usr/bin/id", { stdio: sockets(...evil) }),
  ],
  "a shell gives one command its socket": (s) => [
    s.exec(10, "/bin/bash"),
    s.connect(10, ...evil),
    s.fork(10, 11),
    s.exec(11, "/bin/cat", { stdio: [socket(0, ...evil), pipe(1), pipe(2)] }),
  ],
  "busybox called by another name": (s) => [
    s.exec(10, "/bin/busybox", { arguments: ["-sh"], stdio: sockets(...evil) }),
  ],
  "busybox with the applet as an argument": (s) => [s.exec(10, "/bin/busybox ash -i", { stdio: sockets(...evil) })],
  "a shell under another name in its arguments": (s) => [
    s.exec(10, "/bin/dash", { arguments: ["[kworker/0:1]"], stdio: sockets(...evil) }),
  ],
  "over IPv6": (s) => [s.exec(10, "/usr/bin/perl5.36.0 -e x", { stdio: sockets("2001:db8::9", 443) })],
  "to the local machine": (s) => [s.exec(10, "/usr/bin/php8.2", { stdio: sockets("127.0.0.1", 9001) })],
};
for (const [name, records] of Object.entries(reverseShells)) {
  test(`reverse shell: ${name}`, () => {
    const alerts = judge(records(story())).alerts();
    assert.deepEqual(
      alerts.map(({ rule }) => rule),
      ["reverse-shell"],
    );
    assert.match(alerts[0]?.evidence.find(({ key }) => key === "peer")?.value ?? "", /:\d+$/);
    assert.equal(alerts[0]?.container?.id, "c1");
    assert.equal(alerts[0]?.process?.pid, name.includes("/dev/tcp") ? 11 : 10);
  });
}

/** Ordinary work that must stay quiet. */
const quiet: Record<string, (s: ReturnType<typeof story>) => SensorRecord[]> = {
  "an exec session over pipes": (s) => [s.exec(10, "/bin/sh"), s.fork(10, 11), s.exec(11, "/bin/ls")],
  "a session over a unix socket": (s) => [s.exec(10, "/bin/bash", { stdio: [unix(0), unix(1), unix(2)] })],
  "a server that is no interpreter has its connection as standard input": (s) => [
    s.exec(10, "/usr/sbin/in.ftpd", { stdio: sockets(...evil) }),
  ],
  "a client in a script connects": (s) => [
    s.exec(10, "/bin/sh"),
    s.fork(10, 11),
    s.exec(11, "/usr/bin/curl"),
    s.connect(11, ...evil),
  ],
  "a python server hands a connection to a program": (s) => [
    s.exec(10, "/usr/bin/python3"),
    s.fork(10, 11),
    s.exec(11, "/usr/bin/ffmpeg", { stdio: sockets(...evil) }),
  ],
  "a socket that is only listening has no peer": (s) => [
    s.exec(10, "/usr/bin/python3", { stdio: [socket(0, "0.0.0.0", 0), pipe(1), pipe(2)] }),
  ],
  "only the log goes to the network": (s) => [s.exec(10, "/bin/sh", { stdio: [pipe(0), pipe(1), socket(2, ...evil)] })],
  "a program of the image": (s) => [s.exec(10, "/bin/app")],
  "a program on a plain file system, where layers cannot be told": (s) => [s.exec(10, "/bin/app", { origin: "plain" })],
};
for (const [name, records] of Object.entries(quiet)) {
  test(`quiet: ${name}`, () => assert.deepEqual(judge(records(story())).alerts(), []));
}

test("one shell is one alert, however many commands it runs, with its direction and its ancestors", () => {
  const s = story();
  const records = [s.exec(9, "/usr/sbin/nginx"), s.fork(9, 10), s.exec(10, "/bin/bash"), s.connect(10, ...evil)];
  for (let pid = 20; pid < 40; pid++) {
    records.push(
      s.fork(10, pid, { stdio: sockets(...evil) }),
      s.exec(pid, "/bin/ls", { stdio: sockets(...evil) }),
      s.exit(pid),
    );
  }
  const alerts = judge(records)
    .alerts()
    .filter(({ rule }) => rule === "reverse-shell");
  assert.equal(alerts.length, 1);
  assert.deepEqual(
    alerts[0]?.evidence.find(({ key }) => key === "direction"),
    { key: "direction", value: "outgoing" },
  );
  assert.deepEqual(
    alerts[0]?.ancestors.map(({ executable }) => executable),
    ["/usr/sbin/nginx"],
  );
});

test("a copy of a shell that ends before it is a command of its own raises nothing more", () => {
  const s = story();
  const records = [
    s.exec(10, "/bin/sh", { stdio: sockets(...evil) }),
    s.fork(10, 11, { stdio: sockets(...evil) }),
    s.exit(11),
  ];
  assert.equal(judge(records).alerts().length, 1);
});

test("drift: a program of the writable layer or of memory, once for each", () => {
  const s = story();
  const result = judge([
    s.exec(10, "/tmp/x", { origin: "upper" }),
    s.exec(11, "/tmp/x", { origin: "upper" }),
    s.exec(12, "memfd:a", { origin: "memory" }),
  ]);
  assert.deepEqual(
    result.alerts().map(({ rule, severity, techniques }) => [rule, severity, ...techniques]),
    [
      ["drift", "high", "T1105"],
      ["drift", "critical", "T1620"],
    ],
  );
});

test("a shell that only connects and reads is seen by a look at it", () => {
  const s = story();
  const { pipeline, alerts } = judge([s.exec(10, "/bin/bash")]);
  const entry = pipeline.table.get(10, 10n);
  assert.ok(entry);
  pipeline.look(entry, [pipe(0), pipe(1), pipe(2)], 6000);
  assert.deepEqual(alerts(), []);
  pipeline.look(entry, sockets(...evil), 7000);
  assert.deepEqual(
    alerts().map(({ time }) => time),
    [7000],
    "when it was looked at, whatever the clock says by which events wait",
  );
});

test("an event waits for its container, is judged when that is known, and is unknown when nobody tells in time", () => {
  const s = story("/default/late");
  let known: Owner;
  const result = judge([s.exec(10, "/bin/sh", { stdio: sockets(...evil) })], () => known);
  assert.deepEqual([result.events().length, result.alerts().length], [0, 0]);
  known = { attribution: "container", container };
  result.pipeline.settle();
  assert.equal(result.alerts()[0]?.attribution, "container");

  known = undefined;
  result.pipeline.push([s.exec(11, "/bin/sh", { stdio: sockets(...evil) })]);
  result.clock.now += 2001;
  result.pipeline.settle();
  assert.equal(result.alerts()[1]?.attribution, "unknown");
  assert.equal(result.alerts()[1]?.container, null);
  assert.equal(result.pipeline.counters.unknown, 1);
});

test("host processes are passed over unless asked for", () => {
  const s = story("/system.slice/x.service");
  const result = judge([s.exec(10, "/bin/sh", { stdio: sockets(...evil) })], () => ({ attribution: "host" }));
  assert.deepEqual([result.events(), result.alerts()], [[], []]);
});

/** A runtime's service in a mount namespace of its own: Docker of a snap, a node that is a container. */
const node = { mountNamespace: 7, pidNamespace: 1, cgroups: ["/system.slice/containerd.service"] };
const inContainer = { mountNamespace: 2, pidNamespace: 3, cgroups: ["/pods/c1"] };
const byCgroup = (cgroups: readonly string[]): Owner =>
  cgroups.includes("/pods/c1") ? { attribution: "container", container } : { attribution: "host" };

/** The runtime sets a container up; the last, 14, is about to begin its first program. */
function setUp(s: ReturnType<typeof story>, inCgroup: typeof node): SensorRecord[] {
  return [
    s.exec(10, "/usr/bin/containerd", node),
    s.fork(10, 11, node),
    s.exec(11, "/usr/bin/containerd-shim-runc-v2", node),
    s.fork(11, 12, node),
    s.exec(12, "/usr/bin/runc create", node),
    s.fork(12, 13, inCgroup),
    // Of a copy in memory, so that no container can write over it.
    s.exec(13, "memfd:runc init", { ...inCgroup, origin: "memory" }),
    s.call(13, "unshare"),
    s.fork(13, 14, inContainer),
    s.call(14, "setns"),
    s.call(14, "mount", ["cgroup", "/sys/fs/cgroup", "cgroup"]),
    s.call(14, "mount", ["/dev/vda1", "/data", "ext4"]),
  ];
}

for (const host of [false, true]) {
  const mode = host ? "where the host is watched too" : "where only containers are";
  test(`a runtime in a mount namespace of its own sets a container up: no deed of the container, ${mode}`, () => {
    for (const inCgroup of [node, { ...node, cgroups: inContainer.cgroups }]) {
      const s = story();
      const records = setUp(s, inCgroup);
      const { alerts, events, pipeline } = judge(records, byCgroup, undefined, { host });
      const ofContainer = <One extends Event | Alert>(all: One[]): One[] =>
        all.filter((one) => "attribution" in one && one.attribution === "container");
      assert.deepEqual([ofContainer(alerts()), ofContainer(events())], [[], []]);
      pipeline.push([s.exec(14, "/bin/app", inContainer), s.call(14, "mount", ["cgroup", "/mnt", "cgroup"])]);
      assert.deepEqual(
        ofContainer(alerts()).map(({ rule, container: where }) => [rule, where?.id]),
        [["host-file-system", "c1"]],
      );
    }
  });
}

test("nobody in a container comes to look like the runtime, not where that lives either", () => {
  const s = story();
  const broken = { ...node, cgroups: inContainer.cgroups };
  const records = [
    ...setUp(s, node),
    s.exec(14, "/bin/app", inContainer),
    // It has got out, and begins the runtime's own program there.
    s.fork(14, 15, broken),
    s.exec(15, "/usr/bin/runc init", broken),
    s.call(15, "mount", ["/dev/vda1", "/mnt", "ext4"]),
    // Beside the runtime's parents, whose child it has become.
    s.fork(11, 16, { ...inContainer, cgroups: inContainer.cgroups }),
    s.exec(16, "/bin/sh", inContainer),
    s.call(16, "setns"),
  ];
  assert.deepEqual(
    judge(records, byCgroup)
      .alerts()
      .map(({ rule, process }) => [rule, process?.pid]),
    [
      ["host-file-system", 15],
      ["namespace-entry", 16],
    ],
  );
});

test("of a container that has neither files nor processes of its own, all that is begun in its cgroup is its own", () => {
  const s = story();
  const bare = sampleContainer(2, { id: "c2", hostNamespaces: ["mnt", "pid"] });
  const owner = (cgroups: readonly string[]): Owner =>
    cgroups.includes("/pods/c1") ? { attribution: "container", container: bare } : { attribution: "host" };
  const there = { ...node, cgroups: inContainer.cgroups };
  const records = [
    s.exec(12, "/usr/bin/runc create", node),
    s.fork(12, 13, there),
    s.exec(13, "/bin/sh", there),
    s.call(13, "mount", ["/dev/vda1", "/mnt", "ext4"]),
  ];
  assert.deepEqual(
    judge(records, owner, undefined, { host: true })
      .alerts()
      .map(({ rule }) => rule),
    ["host-file-system"],
  );
});

test("of a source that tells no namespaces, what a service of the host starts in a container is the container's", () => {
  const s = story();
  const unknown = { mountNamespace: 0, pidNamespace: 0 };
  const records = [
    s.exec(10, "/usr/bin/containerd-shim-runc-v2", { ...node, ...unknown }),
    s.fork(10, 11, { ...inContainer, ...unknown }),
    s.exec(11, "/bin/app", { ...inContainer, ...unknown }),
    s.call(11, "mount", ["/dev/vda1", "/mnt", "ext4"]),
  ];
  const rules = judge(records, byCgroup)
    .alerts()
    .map(({ rule }) => rule);
  assert.deepEqual(rules, ["host-file-system"]);
});

test("what the agent and its sensor do in their pod is not judged; what others do there is", () => {
  const isOwn = ownProcesses({ pid: 10, programs: new Set(["/usr/bin/node", "/app/bulwark-sensor"]) });
  const rulesOf = (tell: (s: ReturnType<typeof story>) => SensorRecord[]): string[] =>
    judge(tell(story()), undefined, undefined, { isOwn })
      .alerts()
      .map(({ rule }) => rule);
  const agent = (s: ReturnType<typeof story>): SensorRecord[] => [s.exec(10, "/usr/bin/node agent")];
  const sensor = (s: ReturnType<typeof story>): SensorRecord[] => [s.fork(10, 11), s.exec(11, "/app/bulwark-sensor")];
  assert.deepEqual(
    rulesOf((s) => [...agent(s), ...sensor(s), s.call(10, "open_by_handle_at"), s.call(11, "bpf")]),
    [],
  );
  assert.deepEqual(
    rulesOf((s) => [s.fork(10, 11), s.exec(11, "/usr/bin/node scan"), s.call(11, "bpf"), ...agent(s)]),
    [],
    "before it is told that the agent is there",
  );
  const came = {
    "the same program, started by others": "/usr/bin/node x",
    "a shell that the agent started": "/bin/sh",
  };
  for (const [what, program] of Object.entries(came)) {
    const parent = program === "/bin/sh" ? 10 : 9;
    const told = rulesOf((s) => [...agent(s), s.fork(parent, 12), s.exec(12, program), s.call(12, "bpf")]);
    assert.deepEqual(told, ["kernel-tampering"], what);
  }
});

test("what happens again is one alert, and counted with it", () => {
  const s = story();
  const shell = (pid: number): SensorRecord[] => [s.exec(pid, "/bin/sh", { stdio: sockets(...evil) }), s.exit(pid)];
  const { pipeline, clock, alerts, repeats } = judge(shell(10));
  pipeline.push([...shell(11), ...shell(12)]);
  pipeline.settle();
  const [alert] = alerts();
  assert.equal(alerts().length, 1);
  assert.deepEqual(
    repeats().map(({ alert: of, count }) => [of === alert?.id, count]),
    [[true, 2]],
  );
  pipeline.settle();
  assert.equal(repeats().length, 1, "told once");
  pipeline.push(shell(13));
  pipeline.settle();
  assert.equal(repeats().length, 1, "not at once");
  clock.now += 5000;
  pipeline.settle();
  assert.deepEqual(
    repeats().map(({ count }) => count),
    [2, 1],
  );
  assert.equal(repeats()[1]?.last, Number(s.exec(14, "/bin/ls").time) - 2000, "when it happened");
  assert.equal(pipeline.counters.repeats, 3);
});

test("a container that makes ever other alerts of a rule is told of less often, and all are counted", () => {
  const s = story();
  const ever: Detector = {
    ...{ id: "ever", title: "", description: "", remedy: "", severity: "low", techniques: [], needs: ["exec"] },
    detect: ({ process }) => ({ subject: process, evidence: [], key: String(process.pid) }),
  };
  const { pipeline, clock, alerts, repeats } = judge([s.exec(1, "/bin/x")], undefined, [ever]);
  for (let pid = 2; pid <= 7000; pid++) pipeline.push([s.exec(pid, "/bin/x")]);
  pipeline.settle();
  assert.equal(alerts().length, 5000);
  assert.deepEqual(
    repeats().map(({ alert, count }) => [alert === alerts().at(-1)?.id, count]),
    [[true, 2000]],
  );
  clock.now += 6000;
  for (let pid = 8001; pid <= 8020; pid++) pipeline.push([s.exec(pid, "/bin/x")]);
  pipeline.settle();
  assert.equal(alerts().length, 5010, "one in 600 ms");
  assert.equal(repeats().at(-1)?.count, 10);
});

test("a detector that raises an error is named, and the others go on", () => {
  const records = reverseShells["nc -e"]?.(story()) ?? [];
  const broken: Detector = {
    ...{
      id: "broken",
      title: "",
      description: "",
      remedy: "",
      severity: "low",
      techniques: [],
      needs: observationKinds,
    },
    detect: () => assert.fail("it never works"),
  };
  const { pipeline, alerts } = judge(records, undefined, [broken, ...createDetectors()]);
  assert.deepEqual(
    alerts().map(({ rule }) => rule),
    ["reverse-shell"],
  );
  assert.deepEqual([...pipeline.faults.keys()], ["broken"]);
  assert.equal(pipeline.faults.get("broken")?.message, "it never works");
  assert.ok((pipeline.faults.get("broken")?.count ?? 0) >= records.length);
});

test("what the sensor lost is an alert above the limit, with an id of its record", () => {
  const loss = { type: "loss", sequence: 7n, time: 5n, ring: 11n, pipe: 0n, unreadable: 0n, limited: 0n } as const;
  const losses: SensorRecord[] = [{ ...loss, files: 0n, flows: 0n }];
  const rulesOf = (lossLimit: number): string[] =>
    judge(losses, undefined, undefined, { lossLimit })
      .alerts()
      .map(({ id, rule }) => `${rule} ${id}`);
  assert.deepEqual(rulesOf(10), ["events-lost n/r/7/events-lost"]);
  assert.deepEqual(rulesOf(11), []);
});

test("ids are the same for the same record, and forks are no events", () => {
  const s = story();
  const records = [s.exec(1, "/sbin/init"), s.fork(1, 2), s.exec(2, "/bin/ls"), s.exit(2)];
  const once = judge(records).events();
  assert.deepEqual(
    once.map(({ id, kind }) => [id, kind]),
    [
      ["n/r/1", "exec"],
      ["n/r/3", "exec"],
      ["n/r/4", "exit"],
    ],
  );
  assert.deepEqual(judge(records).events(), once);
});

test("another sensor takes over: what both saw is judged once, processes stay known, and nothing is missed", () => {
  const s = story();
  const shell = [s.exec(10, "/bin/bash"), s.connect(10, ...evil), s.fork(10, 11)];
  const drift = s.exec(12, "/tmp/dropped", { origin: "upper" });
  const end = s.exec(11, "/bin/bash -i", { stdio: sockets(...evil) });
  const { pipeline, alerts, events } = judge([...shell, drift]);
  const before = events().length;
  const ancestors = pipeline.table.get(10, 10n)?.peers;
  assert.equal(ancestors?.length, 1);

  pipeline.handOver("next");
  const snapshot = { ...shell[0], type: "snapshot", environment: ["LD_PRELOAD=/tmp/x.so"] } as SensorRecord;
  const stranger = { ...s.exec(20, "/bin/sleep"), type: "snapshot" } as SensorRecord;
  const taken = pipeline.push([snapshot, stranger, shell[1] as SensorRecord, drift, end]);
  assert.deepEqual(taken, [stranger, end]);
  assert.equal(events().length, before + 1);
  assert.deepEqual(
    alerts().map(({ id, rule }) => [id.split("/")[1], rule]),
    [
      ["r", "drift"],
      ["next", "reverse-shell"],
    ],
  );
  assert.deepEqual(pipeline.table.get(10, 10n)?.peers, ancestors);
  assert.deepEqual(pipeline.table.get(10, 10n)?.environment, ["LD_PRELOAD=/tmp/x.so"]);
  assert.equal(pipeline.table.get(20, 20n)?.executable, "/bin/sleep");
});
