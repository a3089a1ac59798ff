import assert from "node:assert/strict";
import { test } from "node:test";
import { createDirectory } from "../directory.ts";
import { json, readTexts } from "./read-lines.fixture.ts";

const head = (path: string, fields: string): string =>
  [
    "#separator \\x09",
    "#set_separator\t,",
    "#empty_field\t(empty)",
    "#unset_field\t-",
    `#path\t${path}`,
    `#fields\t${fields}`,
    "",
  ].join("\n");
const id = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p";
const conn = `${head("conn", `${id}\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts`)}${[
  "1767607200.500000\tC1\t10.0.0.5\t40000\t203.0.113.9\t443\ttcp\tssl\t2.5\t1200\t9000\tSF\t10\t12",
  "1767607201.000000\tC2\t10.0.0.5\t40001\t10.0.0.6\t22\ttcp\t-\t-\t-\t-\tREJ\t1\t1",
  "1767607202.000000\tC3\t10.0.0.5\t40002\t10.0.0.7\t80\ttcp\thttp\t0.1\t10\t20\tSF\t3\t3",
].join("\n")}\n#close\t2026-01-05-11-00-00\n`;
const ssl = `${head("ssl", `${id}\tversion\tcipher\tserver_name\testablished`)}1767607200.6\tC1\t10.0.0.5\t40000\t203.0.113.9\t443\tTLSv12\tTLS_X\tapi.example.com\tT\n`;

test("tab-separated logs, joined: a connection and its TLS", async () => {
  const { flows, summary } = await readTexts({ "conn.log": conn, "ssl.log": ssl });
  assert.equal(summary.broken, 0);
  assert.deepEqual(
    flows.map(({ server, port, result, tls, clear, bytesOut }) => [
      server.ip,
      port,
      result,
      tls?.version,
      clear,
      bytesOut,
    ]),
    [
      ["203.0.113.9", 443, "established", "1.2", null, 1200],
      ["10.0.0.6", 22, "refused", undefined, null, 0],
      ["10.0.0.7", 80, "established", undefined, "http", 10],
    ],
  );
  assert.equal(flows[0]?.last, 1767607203000);
});

test("JSON; an answer of a name server names the address that its asker connects to, and nobody else's", async () => {
  const dns = {
    ts: 1767607199.1,
    uid: "D1",
    "id.orig_h": "10.0.0.5",
    "id.orig_p": 5353,
    "id.resp_h": "10.0.0.2",
    "id.resp_p": 53,
    proto: "udp",
    query: "db.example.com",
    qtype_name: "A",
    rcode_name: "NOERROR",
    answers: ["alias.example.com", "203.0.113.9"],
  };
  const connection = (client: string): object => ({
    ts: 1767607200,
    uid: "C1",
    "id.orig_h": client,
    "id.orig_p": 40000,
    "id.resp_h": "203.0.113.9",
    "id.resp_p": 5432,
    proto: "tcp",
    conn_state: "SF",
  });
  const log = json(dns, connection("10.0.0.5"), connection("10.0.0.8"));
  const { flows } = await readTexts({ "zeek.json": log }, createDirectory());
  assert.deepEqual(flows[0]?.dns?.addresses, ["203.0.113.9"]);
  assert.deepEqual(
    flows.slice(1).map(({ server }) => server.name),
    ["db.example.com", null],
  );
});
