import assert from "node:assert/strict";
import { test } from "node:test";
import { createDirectory, endText, type Flow, type Workload } from "@bulwark/flow";
import type { DnsRecord, FlowRecord, OpeningRecord } from "@bulwark/sensor";
import { createTraffic, type Owner, type Traffic } from "./index.ts";

const [web, database] = [100, 200];
const owners = new Map<number, Owner>([
  [1, { workload: workload("web"), process: "curl" }],
  [2, { workload: workload("database"), process: "postgres" }],
  [3, null],
]);

interface World {
  traffic: Traffic;
  flows: Flow[];
  clock: { now: number };
  /** What is told once all has waited for long enough. */
  told(...records: (FlowRecord | DnsRecord | OpeningRecord)[]): Flow[];
}

function world(owned = owners): World {
  const flows: Flow[] = [];
  const clock = { now: 0 };
  const traffic = createTraffic({
    ownerOf: (pid) => owned.get(pid),
    epochMs: (time) => Number(time / 1_000_000n),
    directory: createDirectory(),
    hostNetwork: 1,
    emit: (flow) => flows.push(flow),
    now: () => clock.now,
  });
  return {
    traffic,
    flows,
    clock,
    told(...records) {
      const from = flows.length;
      traffic.take(records);
      clock.now += 200;
      traffic.settle();
      return flows.slice(from);
    },
  };
}

function workload(name: string): Workload {
  return {
    namespace: "shop",
    name,
    kind: null,
    pod: `${name}-1`,
    labels: { app: name },
    serviceAccount: null,
    node: null,
  };
}

function record(change: Partial<FlowRecord> = {}): FlowRecord {
  return {
    ...{ type: "flow", sequence: 0n, time: 0n, pid: 1, startTime: 1n, name: "curl", cgroup: 1n, networkNamespace: web },
    ...{ role: "client", protocol: 6, local: "10.0.0.1", remote: "10.0.0.2", port: 443, policy: 0 },
    ...{ firstClientPort: 40_000, clientPort: 40_000, first: 1_000_000n, last: 2_000_000n },
    ...{ bytesOut: 10n, bytesIn: 20n, packetsOut: 5n, packetsIn: 4n },
    ...{ begun: 1, established: 1, refused: 0, timedOut: 0, denied: 0, encrypted: 0 },
    ...change,
  };
}

/** The same connection as its server sees it. */
function served(change: Partial<FlowRecord> = {}): FlowRecord {
  return record({
    ...{ role: "server", pid: 2, name: "postgres", networkNamespace: database, local: "10.0.0.2", remote: "10.0.0.1" },
    ...{ bytesOut: 20n, bytesIn: 10n, packetsOut: 4n, packetsIn: 5n },
    ...change,
  });
}

function opening(bytes: Buffer, fromClient = true): OpeningRecord {
  return {
    ...{ type: "opening", sequence: 0n, time: 0n, pid: 1, startTime: 1n, networkNamespace: web, role: "client" },
    ...{ protocol: 6, fromClient, local: { ip: "10.0.0.1", port: 40_000 }, remote: { ip: "10.0.0.2", port: 443 } },
    bytes,
  };
}

function answer(change: Partial<DnsRecord> = {}): DnsRecord {
  const nobody = {
    thread: 1,
    mountNamespace: 0,
    pidNamespace: 0,
    userNamespace: 0,
    uid: 0,
    effectiveUid: 0,
    savedUid: 0,
  };
  return {
    ...{
      type: "dns",
      sequence: 0n,
      time: 0n,
      pid: 1,
      startTime: 1n,
      networkNamespace: web,
      capabilities: 0n,
      ...nobody,
    },
    ...{ name: "example.org", kind: 1, code: 0, answers: ["cdn.example.net", "192.0.2.7"] },
    ...{ client: { ip: "10.0.0.1", port: 5000 }, server: { ip: "10.0.0.53", port: 53 }, protocol: "UDP" },
    ...change,
  };
}

test("a connection between two containers of this machine is one flow, whichever end comes first", () => {
  for (const records of [
    [record(), served()],
    [served(), record()],
  ]) {
    const flows = world().told(...records);
    assert.equal(flows.length, 1);
    const [flow] = flows;
    assert.deepEqual(
      [flow && endText(flow.client), flow && endText(flow.server), flow?.process, flow?.bytesOut, flow?.bytesIn],
      ["shop/web", "shop/database", "curl", 10, 20],
    );
    assert.deepEqual([flow?.result, flow?.connections, flow?.clientPort], ["established", 1, 40_000]);
  }
});

test("what the server's end did not let in is told by it too: the client saw no more than that nobody answered", () => {
  const none = { established: 0, bytesOut: 0n, bytesIn: 0n, packetsOut: 2n, packetsIn: 0n };
  const unanswered = record({ ...none, timedOut: 1 });
  const dropped = served({ ...none, begun: 0, packetsOut: 0n, packetsIn: 2n, denied: 1, policy: 2 });
  const let_ = served({ begun: 1, established: 1 });
  const told = world().told(unanswered, dropped, let_);
  assert.deepEqual(
    told.map(({ client, server, result, connections, deniedBy }) => [
      ...[endText(client), endText(server)],
      ...[result, connections, deniedBy],
    ]),
    [
      ["shop/web", "shop/database", "timed-out", 1, null],
      ["shop/web", "shop/database", "denied", 1, "2"],
    ],
  );
});

test("from outside, the server's end tells, in the client's direction", () => {
  const [flow, ...more] = world().told(served({ remote: "192.0.2.9" }));
  assert.deepEqual(more, []);
  assert.deepEqual([flow && endText(flow.client), flow?.bytesOut, flow?.packetsOut], ["192.0.2.9", 10, 5]);
  assert.equal(flow?.process, null, "of the client's program nothing is known");
});

test("each result is a flow of its own, and bytes are of those that were answered", () => {
  const flows = world().told(record({ begun: 6, established: 1, refused: 2, timedOut: 1, denied: 2, policy: 7 }));
  assert.deepEqual(
    flows.map(({ result, connections, bytesOut, deniedBy }) => [result, connections, bytesOut, deniedBy]),
    [
      ["established", 1, 10, null],
      ["refused", 2, 0, null],
      ["timed-out", 1, 0, null],
      ["denied", 2, 0, "7"],
    ],
  );
});

test("what was only begun is told when it is known what became of it", () => {
  const { told } = world();
  assert.deepEqual(told(record({ established: 0, bytesOut: 0n, bytesIn: 0n })), []);
  const [flow] = told(record({ begun: 0, established: 0, refused: 1, bytesOut: 0n, bytesIn: 0n }));
  assert.deepEqual([flow?.result, flow?.connections], ["refused", 1]);
});

test("a connection that goes on counts once", () => {
  const { told } = world();
  assert.equal(told(record())[0]?.connections, 1);
  assert.equal(told(record({ begun: 0, established: 0 }))[0]?.connections, 0);
  const udp = { protocol: 17, established: 0 };
  assert.equal(told(record(udp))[0]?.connections, 1);
  assert.equal(told(record(udp))[0]?.connections, 0, "the same port of the client");
  assert.equal(told(record({ ...udp, begun: 2, clientPort: 40_002 }))[0]?.connections, 1);
  assert.equal(told(record({ ...udp, packetsIn: 0n, firstClientPort: 40_003 }))[0]?.result, "unknown", "no answer");
});

test("names are those that the container itself asked for", () => {
  const { told } = world();
  const [asked] = told(answer());
  assert.deepEqual(asked?.dns, { name: "example.org", type: "A", code: "NOERROR", addresses: ["192.0.2.7"] });
  assert.equal(asked?.connections, 0);
  const nameOf = (change: Partial<FlowRecord>) => told(record({ remote: "192.0.2.7", ...change }))[0]?.server.name;
  assert.equal(nameOf({}), "example.org");
  assert.equal(
    nameOf({ pid: 2, networkNamespace: database, local: "10.0.0.2" }),
    null,
    "another container did not ask",
  );
});

test("TLS by connection, with version and name as far as they were seen", () => {
  const { told } = world();
  assert.deepEqual(told(record({ encrypted: 1 }))[0]?.tls, { version: null, serverName: null });
  const [both, plain] = told(record({ begun: 3, established: 3, encrypted: 2 }));
  assert.deepEqual([both?.connections, both?.tls !== null, plain?.connections, plain?.tls], [2, true, 1, null]);
  assert.equal(plain?.bytesOut, 0);
  assert.equal(told(record({ protocol: 17, established: 0, encrypted: 1 }))[0]?.tls?.version, "1.3", "QUIC");
});

test("a password in clear text is told, and not where there is TLS", () => {
  const request = Buffer.from("GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Zm9vOmJhcg==\r\n\r\n");
  const { told } = world();
  const [flow] = told(opening(request), record());
  assert.deepEqual([flow?.clear, flow?.credential], ["http", true]);
  const [failed] = told(record({ established: 0, refused: 1, bytesOut: 0n, bytesIn: 0n }));
  assert.deepEqual([failed?.clear, failed?.credential], [null, false]);
});

test("what a container says to itself is between it and itself", () => {
  const flows = world().told(
    record({ local: "127.0.0.1", remote: "127.0.0.1" }),
    record({ role: "server", local: "127.0.0.1", remote: "127.0.0.1" }),
  );
  assert.deepEqual(
    flows.map(({ client, server }) => [endText(client), endText(server)]),
    [["shop/web", "shop/web"]],
  );
});

test("an address is of who had it then, also when another has it now", () => {
  const owned = new Map<number, Owner>([...owners, [4, { workload: workload("heir"), process: null }]]);
  const { told } = world(owned);
  told(record({ first: 1_000_000_000n }));
  told(record({ pid: 4, networkNamespace: 300, first: 9_000_000_000n, remote: "192.0.2.1" }));
  const from = (first: bigint) => told(served({ first, remote: "10.0.0.1", networkNamespace: 1, local: "172.16.0.1" }));
  // The clients' own ends told these already: nothing of them comes twice.
  assert.deepEqual(from(5_000_000_000n), []);
  const to = (first: bigint): string => {
    const [flow] = told(record({ pid: 2, networkNamespace: database, local: "10.0.0.2", remote: "10.0.0.1", first }));
    return flow ? endText(flow.server) : "";
  };
  assert.equal(to(5_000_000_000n), "shop/web");
  assert.equal(to(9_500_000_000n), "shop/heir");
});

test("an heir that has only been heard of has its address since it started: a first packet comes before it is seen", () => {
  const heir = { workload: workload("heir"), process: null, since: 8000 };
  const { told } = world(new Map<number, Owner>([...owners, [4, heir]]));
  told(record({ first: 1_000_000_000n }));
  const asked = record({ pid: 2, networkNamespace: database, local: "10.0.0.2", remote: "10.0.0.1" });
  const seen = served({ pid: 4, networkNamespace: 300, local: "10.0.0.1", remote: "10.0.0.2" });
  const flows = told({ ...asked, first: 8_900_000_000n }, { ...seen, first: 9_000_000_000n });
  assert.deepEqual(
    flows.map(({ server }) => endText(server)),
    ["shop/heir"],
  );
  assert.equal(endText(told({ ...asked, first: 7_900_000_000n })[0]?.server as Flow["server"]), "shop/web");
});

test("an heir whose network namespace has the number of the one before is another", () => {
  const heir = { workload: workload("heir"), process: null, since: 8000 };
  const { told } = world(new Map<number, Owner>([...owners, [4, heir]]));
  told(record({ first: 1_000_000_000n }));
  const asked = record({ pid: 2, networkNamespace: database, local: "10.0.0.2", remote: "10.0.0.1" });
  const seen = served({ pid: 4, networkNamespace: web, local: "10.0.0.1", remote: "10.0.0.2" });
  const flows = told({ ...asked, first: 8_900_000_000n }, { ...seen, first: 9_000_000_000n });
  assert.deepEqual(
    flows.map(({ server }) => endText(server)),
    ["shop/heir"],
  );
  assert.equal(endText(told({ ...asked, first: 7_900_000_000n })[0]?.server as Flow["server"]), "shop/web");
});

test("what is the host's is not told; whose is not known is told after a while, and counted", () => {
  const { told, traffic, clock, flows } = world();
  assert.deepEqual(told(record({ pid: 3, networkNamespace: 1 })), []);
  assert.deepEqual(told(record({ pid: 77, networkNamespace: 7, local: "10.0.0.77" })), []);
  clock.now += 3000;
  traffic.settle();
  assert.equal(flows[0] && endText(flows[0].client), "10.0.0.77");
  assert.equal(traffic.counters.unknown, 1);
  traffic.take([record({ pid: 78, networkNamespace: 8, local: "10.0.0.78" })]);
  traffic.end();
  assert.equal(flows.length, 2, "and at the end at once");
});
