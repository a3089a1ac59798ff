import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerRegistry } from "@bulwark/containers";
import { ProcessTable } from "@bulwark/detect";
import type { Flow } from "@bulwark/flow";
import { alert as alertSchema, flowReport, type Alert, type Container, type FlowReport } from "@bulwark/model";
import type { FlowRecord, ProcessRecord } from "@bulwark/sensor";
import { sampleContainer } from "@bulwark/testkit";
import { Flows } from "./flows.ts";

const container = sampleContainer(1, { state: "running", pid: null });

/** A container with one process that the sensor has told of. */
function watched(): {
  flows: Flows;
  alerts: Alert[];
  denials: [Flow, string][];
  reports: FlowReport[];
  tell(...records: FlowRecord[]): Promise<void>;
} {
  const alerts: Alert[] = [];
  const denials: [Flow, string][] = [];
  const reports: FlowReport[] = [];
  const registry = {
    on: () => () => undefined,
    containers: (): Container[] => [container],
    byCgroup: (paths: readonly string[]) => (paths.includes("/pod/1") ? container : undefined),
  } as unknown as ContainerRegistry;
  const flows = new Flows({
    ...{ node: "node-1", registry, isHost: () => false },
    complete: (own) => own,
    denied(flow, direction) {
      denials.push([flow, direction]);
      return "NetworkPolicy shop/db";
    },
    raise: (alert) => alerts.push(alert),
    report: { everyMs: 3_600_000, told: (list) => reports.push(...list) },
  });
  const table = new ProcessTable();
  table.apply(exec(), Date.now());
  flows.begin(table, (time) => Number(time / 1_000_000n));
  return {
    ...{ flows, alerts, denials, reports },
    async tell(...records) {
      flows.take(records);
      await new Promise((resolve) => setTimeout(resolve, 500));
    },
  };
}

function exec(): ProcessRecord {
  return {
    ...{
      type: "exec",
      sequence: 1n,
      time: 1n,
      pid: 42,
      parentPid: 1,
      startTime: 7n,
      parentStartTime: 0n,
      containerPid: 5,
    },
    ...{
      mountNamespace: 1,
      pidNamespace: 1,
      networkNamespace: 9,
      userNamespace: 1,
      cgroupNamespace: 1,
      cgroups: ["/pod/1"],
    },
    ...{ uid: 0, gid: 0, effectiveUid: 0, savedUid: 0, loginUid: 0, capabilities: 0n, permitted: 0n, inheritable: 0n },
    ...{
      session: 1,
      processGroup: 1,
      terminal: 0,
      cloneFlags: 0n,
      name: "nmap",
      executable: "/usr/bin/nmap",
      filename: "nmap",
    },
    ...{
      interpreter: "",
      executableInode: 1n,
      executableMode: 0,
      executableUid: 0,
      gainsRights: false,
      arguments: ["nmap"],
    },
    ...{ argumentsCut: false, workingDirectory: "/", origin: "upper", kernelParent: false, stdio: [] },
  };
}

function tried(port: number, change: Partial<FlowRecord> = {}): FlowRecord {
  return {
    ...{ type: "flow", sequence: 2n, time: 2n, pid: 42, startTime: 7n, name: "nmap", cgroup: 1n, networkNamespace: 9 },
    ...{ role: "client", protocol: 6, local: "10.0.0.1", remote: "10.0.0.2", port, policy: 0, encrypted: 0 },
    ...{
      firstClientPort: 40_000,
      clientPort: 40_000,
      first: BigInt(port) * 1_000_000n,
      last: BigInt(port) * 1_000_000n,
    },
    ...{ bytesOut: 0n, bytesIn: 0n, packetsOut: 1n, packetsIn: 1n },
    ...{ begun: 1, established: 0, refused: 1, timedOut: 0, denied: 0 },
    ...change,
  };
}

test("a scan is an alert, with the container, the process and what decided", async () => {
  const { flows, alerts, tell } = watched();
  using _ = flows;
  await tell(...Array.from({ length: 20 }, (__, index) => tried(1000 + index)));
  assert.deepEqual(
    alerts.map(({ rule }) => rule),
    ["network-port-scan"],
  );
  const [alert] = alerts;
  assert.ok(alert);
  assert.deepEqual(alertSchema.parse(alert), alert, "as the server takes it");
  assert.equal(alert.container?.id, container.id);
  assert.deepEqual(
    [alert.process?.executable, alert.attribution, alert.techniques],
    ["/usr/bin/nmap", "container", ["T1046"]],
  );
  assert.match(alert.description, /15 different ports of 10\.0\.0\.2/);
  assert.ok(alert.evidence.some(({ key, value }) => key === "peer" && value.startsWith("10.0.0.2:")));
  assert.equal(flows.health().counters["alerts"], 1);
});

test("what a policy denied is told by the side that did it", async () => {
  const { flows, denials, tell } = watched();
  using _ = flows;
  await tell(tried(80, { refused: 0, denied: 2, policy: 1 }), tried(443, { refused: 0, denied: 1, policy: 2 }));
  assert.deepEqual(
    denials.map(([{ port, connections }, direction]) => [port, connections, direction]),
    [
      [80, 2, "egress"],
      [443, 1, "ingress"],
    ],
  );
  assert.equal(flows.health().counters["denied"], 3);
});

test("tells who talked to whom, what was denied by which policy, and what the sensor had no room for", async () => {
  const { flows, reports, tell } = watched();
  const before = Date.now();
  await tell(
    tried(5432, { refused: 0, established: 2, begun: 2, bytesOut: 7n }),
    tried(5432, { refused: 0, denied: 3, policy: 1 }),
  );
  flows.lost(5);
  flows.lost(5);
  flows.ended();
  flows[Symbol.dispose]();
  assert.equal(reports.length, 1, "nothing is told of the time in which nobody watched");
  const [report] = reports;
  assert.deepEqual(flowReport.parse(report), report, "as the server takes it");
  assert.deepEqual([report?.node, report?.lost], ["node-1", 5]);
  assert.ok(report && report.from >= before && report.until >= report.from);
  const [flow] = report.flows;
  assert.equal(report.flows.length, 1);
  assert.deepEqual(
    [flow?.side, flow?.connections, flow?.results.established, flow?.results.denied, flow?.bytesOut],
    ["client", 5, 2, 3, 7],
  );
  assert.deepEqual([flow?.processes, flow?.deniedBy], [["nmap"], ["NetworkPolicy shop/db"]]);
  assert.deepEqual([flow?.client.workload?.name, flow?.server.ip], [container.name, "10.0.0.2"]);
});
