import assert from "node:assert/strict";
import { test } from "node:test";
import { json, readTexts } from "./read-lines.fixture.ts";

const tuple = {
  src_ip: "192.168.1.52",
  src_port: 54585,
  dest_ip: "203.0.113.9",
  dest_port: 443,
  proto: "TCP",
  flow_id: 1,
};
const flow = {
  timestamp: "2026-01-05T10:00:10.000000+0000",
  event_type: "flow",
  ...tuple,
  app_proto: "tls",
  flow: {
    pkts_toserver: 10,
    pkts_toclient: 12,
    bytes_toserver: 1200,
    bytes_toclient: 9000,
    start: "2026-01-05T10:00:00.000000+0000",
    end: "2026-01-05T10:00:09.500000+0000",
    age: 9,
    state: "closed",
    reason: "timeout",
    alerted: false,
  },
  tcp: { tcp_flags: "1b", syn: true, fin: true, psh: true, ack: true, state: "closed" },
};

test("a flow and what was seen of its TLS are one", async () => {
  const tls = {
    timestamp: "2026-01-05T10:00:01.000000+0000",
    event_type: "tls",
    ...tuple,
    tls: { sni: "api.example.com", version: "TLS 1.2" },
  };
  const { flows, summary } = await readTexts({
    "eve.json": json(tls, flow, { timestamp: tls.timestamp, event_type: "stats", stats: {} }),
  });
  assert.equal(flows.length, 1);
  assert.deepEqual(flows[0]?.tls, { version: "1.2", serverName: "api.example.com" });
  assert.deepEqual(
    [flows[0].bytesOut, flows[0].bytesIn, flows[0].packetsOut, flows[0].packetsIn],
    [1200, 9000, 10, 12],
  );
  assert.deepEqual([flows[0].first, flows[0].last], [Date.UTC(2026, 0, 5, 10), Date.UTC(2026, 0, 5, 10, 0, 9, 500)]);
  assert.equal(flows[0].result, "established");
  assert.equal(summary.other, 1);
});

test("questions to name servers, in every version's form", async () => {
  const dns = { timestamp: "2026-01-05T10:00:00Z", event_type: "dns", ...tuple, dest_port: 53, proto: "UDP" };
  const back = { ...dns, src_ip: "203.0.113.9", src_port: 53, dest_ip: "192.168.1.52", dest_port: 54585 };
  const records = [
    { ...dns, dns: { version: 2, type: "query", rrname: "example.com", rrtype: "TXT" } },
    { ...back, dns: { version: 2, type: "answer", rrname: "example.com", rrtype: "A", rcode: "NXDOMAIN" } },
    {
      ...dns,
      dns: {
        version: 3,
        type: "response",
        rcode: "NOERROR",
        queries: [{ rrname: "example.com", rrtype: "A" }],
        answers: [{ rrname: "example.com", rrtype: "A", ttl: 30, rdata: "203.0.113.80" }],
      },
    },
  ];
  const { flows } = await readTexts({ "eve.json": json(...records) });
  assert.deepEqual(
    flows.map(({ dns, client, port }) => [client.ip, port, dns?.type, dns?.code, dns?.addresses]),
    [
      ["192.168.1.52", 53, "TXT", null, []],
      ["192.168.1.52", 53, "A", "NXDOMAIN", []],
      ["192.168.1.52", 53, "A", "NOERROR", ["203.0.113.80"]],
    ],
  );
});

test("a password of FTP, a flow that nobody answered", async () => {
  const login = {
    timestamp: "2026-01-05T10:00:00Z",
    event_type: "ftp",
    ...tuple,
    dest_port: 21,
    ftp: { command: "PASS" },
  };
  const silent = {
    ...flow,
    dest_port: 22,
    app_proto: "failed",
    flow: { ...flow.flow, pkts_toclient: 0, bytes_toclient: 0, state: "new" },
  };
  const { flows } = await readTexts({ "eve.json": json(login, silent) });
  assert.deepEqual(
    flows.map(({ clear, credential, result }) => [clear, credential, result]),
    [
      ["ftp", true, "established"],
      [null, false, "timed-out"],
    ],
  );
});
