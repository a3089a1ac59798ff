import assert from "node:assert/strict";
import { test } from "node:test";
import { flowOf, type End, type Flow, type Workload } from "@bulwark/flow";
import { flowReport } from "@bulwark/model";
import { FlowReports } from "./flow-report.ts";

const hour = 3_600_000;
const workload = (name: string, node = "node-1"): Workload => ({
  ...{ namespace: "shop", name, kind: "Deployment", pod: `${name}-1`, labels: { app: name } },
  ...{ serviceAccount: null, node },
});
const web: End = { workload: workload("web"), ip: "10.0.0.1", name: null };
const outside = (ip: string): End => ({ workload: null, ip, name: null });

function flow(more: Partial<Flow>): Flow {
  return flowOf({ client: web, server: outside("192.0.2.1"), port: 443, protocol: "TCP", first: 5 * hour, ...more });
}

test("adds up what has both ends, port and hour in common; questions to name servers are none of it", () => {
  const reports = new FlowReports("node-1");
  reports.begin(5 * hour);
  const tls = { version: "1.3", serverName: null };
  reports.add(flow({ result: "established", bytesOut: 3, tls, process: "curl", last: 5 * hour + 9 }), null);
  reports.add(flow({ result: "refused", process: "wget", credential: true }), null);
  reports.add(flow({ first: 6 * hour, connections: 0 }), null);
  reports.add(flow({ dns: { name: "a", type: "A", code: null, addresses: [] } }), null);
  const [report, ...more] = reports.take(6 * hour + 1);
  assert.deepEqual(more, []);
  assert.deepEqual(flowReport.parse(report), report);
  assert.deepEqual(
    report?.flows.map(({ hour: at, connections, flows, encrypted }) => [at / hour, connections, flows, encrypted]),
    [
      [5, 2, 2, 1],
      [6, 0, 1, 0],
    ],
  );
  const [first] = report?.flows ?? [];
  assert.deepEqual([first?.processes, first?.tls, first?.credential], [["curl", "wget"], ["1.3"], true]);
  assert.deepEqual([first?.first, first?.last], [5 * hour, 5 * hour + 9]);
  assert.deepEqual(reports.take(7 * hour), [
    { ...{ node: "node-1", lost: 0, flows: [] }, from: 6 * hour + 1, until: 7 * hour },
  ]);
});

test("the end on this node tells", () => {
  const reports = new FlowReports("node-1");
  reports.begin(0);
  const far: End = { workload: workload("web", "node-2"), ip: "10.0.9.1", name: null };
  reports.add(flow({ client: far, server: web }), null);
  reports.add(flow({ client: web, server: far }), null);
  reports.add(flow({ client: outside("192.0.2.9"), server: web }), null);
  assert.deepEqual(
    reports.take(1)[0]?.flows.map(({ side }) => side),
    ["server", "client", "server"],
  );
});

test("between two ends of this node, the server's side tells what it denied", () => {
  const reports = new FlowReports("node-1");
  reports.begin(0);
  const db: End = { workload: workload("db"), ip: "10.0.0.2", name: null };
  reports.add(flow({ server: db, result: "timed-out" }), null);
  reports.add(flow({ server: db, result: "denied", deniedBy: "1" }), "NetworkPolicy shop/web");
  reports.add(flow({ server: db, result: "denied", deniedBy: "2" }), "NetworkPolicy shop/db");
  const flows = reports.take(1)[0]?.flows ?? [];
  assert.deepEqual(
    flows.map(({ side, results, deniedBy }) => [side, results["timed-out"], results.denied, deniedBy]),
    [
      ["client", 1, 1, ["NetworkPolicy shop/web"]],
      ["server", 0, 1, ["NetworkPolicy shop/db"]],
    ],
  );
});

test("no flood takes more than its room, and what it takes from others is counted", () => {
  const reports = new FlowReports("node-1");
  reports.begin(0);
  for (let ip = 0; ip < 70_000; ip++) reports.add(flow({ server: outside(`10.${ip >> 8}.0.${ip & 255}`) }), null);
  assert.equal(reports.waiting, 257, "strangers beyond 256 are one");
  assert.equal(reports.counters.folded, 70_000 - 256);
  for (let port = 1; port <= 20_000; port++) reports.add(flow({ port }), null);
  const told = reports.take(1);
  const flows = told.flatMap((report) => report.flows);
  assert.equal(flows.length, 10_000);
  assert.equal(
    told.reduce((sum, { lost }) => sum + lost, 0),
    20_000 + 257 - 10_000 - 1,
  );
  assert.ok(told.every((report) => flowReport.safeParse(report).success));
  assert.equal(
    flows.reduce((sum, { connections }) => sum + connections, 0) + 10_256,
    90_000,
    "nothing is gone that is not counted",
  );
});
