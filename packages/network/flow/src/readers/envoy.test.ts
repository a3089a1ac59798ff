import assert from "node:assert/strict";
import { test } from "node:test";
import { createDirectory } from "../directory.ts";
import { json, readTexts } from "./read-lines.fixture.ts";

/** As in istio.io, "Envoy Access Logs". */
const outbound = {
  start_time: "2026-01-05T10:00:00.000Z",
  method: "GET",
  path: "/status/418",
  protocol: "HTTP/1.1",
  response_code: 418,
  response_flags: "-",
  response_code_details: "via_upstream",
  bytes_received: 10,
  bytes_sent: 135,
  duration: 5,
  upstream_host: "10.44.1.27:80",
  upstream_cluster: "outbound|8000||httpbin.foo.svc.cluster.local",
  upstream_local_address: "10.44.1.23:37652",
  downstream_local_address: "10.0.45.184:8000",
  downstream_remote_address: "10.44.1.23:46520",
  requested_server_name: null,
};
const inbound = {
  ...outbound,
  upstream_host: "127.0.0.1:80",
  upstream_cluster: "inbound|8000||",
  upstream_local_address: "127.0.0.1:41854",
  downstream_local_address: "10.44.1.27:80",
  downstream_remote_address: "10.44.1.23:37652",
  requested_server_name: "outbound_.8000_._.httpbin.foo.svc.cluster.local",
};

test("both proxies of a request are one flow, in TLS, and its pods are told by their addresses", async () => {
  const directory = createDirectory();
  const sleep = {
    namespace: "foo",
    name: "sleep",
    kind: null,
    pod: "sleep-1",
    labels: { app: "sleep" },
    serviceAccount: null,
    node: null,
  };
  directory.know(sleep, ["10.44.1.23"], 0);
  const { flows } = await readTexts({ "client.log": json(outbound), "server.log": json(inbound) }, directory);
  assert.equal(flows.length, 1);
  const [flow] = flows;
  assert.equal(flow?.client.workload?.name, "sleep");
  assert.deepEqual([flow.server.ip, flow.server.name, flow.port], ["10.44.1.27", "httpbin.foo.svc.cluster.local", 80]);
  assert.deepEqual([flow.connections, flow.bytesOut, flow.bytesIn], [1, 10, 135]);
  assert.equal(flow.tls?.serverName, "outbound_.8000_._.httpbin.foo.svc.cluster.local");
  assert.equal(flow.clear, null);
});

test("a request without TLS at the server is in clear text; what Istio denies names its policy", async () => {
  const plain = { ...inbound, requested_server_name: null };
  const denied = {
    ...plain,
    downstream_remote_address: "10.44.1.23:37653",
    response_code: 403,
    response_code_details: "rbac_access_denied_matched_policy[ns[foo]-policy[closed]-rule[0]]",
  };
  const refused = { ...outbound, response_flags: "UF,URX", upstream_local_address: null };
  const { flows } = await readTexts({ "proxy.log": json(plain, denied, refused) });
  assert.deepEqual(
    flows.map(({ clear, result, deniedBy }) => [clear, result, deniedBy]),
    [
      ["http", "established", null],
      ["http", "denied", "ns[foo]-policy[closed]-rule[0]"],
      [null, "refused", null],
    ],
  );
});
