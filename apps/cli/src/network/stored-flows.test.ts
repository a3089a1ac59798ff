import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseConfig } from "@bulwark/config";
import { createClient, routes, type Client } from "@bulwark/contract";
import type { AgentRecord, FlowHour, NetworkEnd } from "@bulwark/model";
import { startServer, type RunningServer } from "@bulwark/server";
import { createLogger } from "@bulwark/telemetry";
import { sampleContainer } from "@bulwark/testkit";
import { callCommand } from "../call.fixture.ts";
import { networkCommand } from "../commands/network.ts";

const hour = 3_600_000;

describe("what a server keeps of the network, from the command line", () => {
  const data = mkdtempSync(join(tmpdir(), "bulwark-cli-server-"));
  const token = join(data, "token");
  let server: RunningServer;
  let agent: Client;

  before(async () => {
    const logger = createLogger("test");
    logger.level = "silent";
    const config = { ...parseConfig("server: { port: 0 }", "test.yaml"), data };
    server = await startServer({ config, version: "0.0.0-test", logger, consoleDir: undefined, agents: false });
    const link = new URLSearchParams(new URL(await server.createLoginLink()).hash.slice(1)).get("token");
    const logged = await fetch(`${server.url}/api/v1/session/link`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: link }),
    });
    const cookie = logged.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const { csrf } = (await logged.json()) as { csrf: string };
    const headers = { cookie, "x-csrf-token": csrf };
    const person = createClient(routes, { base: server.url, headers: () => headers });
    const { secret } = await person.createToken({ body: { name: "cli", scope: "write", days: 1 } });
    writeFileSync(token, `${secret}\n`);
    const authorization = `Bearer ${await server.createAgentToken("node-1")}`;
    agent = createClient(routes, { base: server.url, headers: () => ({ authorization }) });
    await tell(...told());
  });
  after(async () => {
    await server.close();
    rmSync(data, { recursive: true, force: true });
  });

  async function tell(...records: AgentRecord[]): Promise<void> {
    await agent.ingest({ body: { node: "node-1", spool: "spool-1", first: 1, records } });
  }
  const call = (...words: string[]): ReturnType<typeof callCommand> =>
    callCommand(networkCommand, [...words, "--server", server.url, "--token-file", token]);

  test("policies are learned, and a replay of them denies nothing", async () => {
    const { code, out, err } = await call("learn", "--namespace", "shop", "--without-dns");
    assert.equal(code, 0);
    assert.match(out, /^---\napiVersion: networking\.k8s\.io\/v1\nkind: NetworkPolicy\n/);
    assert.match(out, /name: learned-db\n {2}namespace: shop/);
    assert.match(err, /2 policies from 1 edge\n/);
    const file = join(data, "learned.yaml");
    writeFileSync(file, out);
    const replayed = await call("replay", "--policies", file);
    assert.deepEqual([replayed.code, replayed.out], [0, "3 connections on 1 edge: none denied\n"]);
    assert.match(replayed.err, /note: the policies that default has are not known: this server has no access/);
    writeFileSync(file, out.replaceAll("5432", "5433"));
    const denied = await call("replay", "--policies", file);
    assert.equal(denied.code, 1);
    assert.match(denied.out, /shop\/web → shop\/db {2}TCP 5432 {2}3 connections/);
    assert.match(denied.out, /3 on 1 would have been denied/);
    const json = JSON.parse((await call("replay", "--policies", file, "--format", "json")).out) as {
      deniedEdges: number;
    };
    assert.equal(json.deniedEdges, 1);
  });

  test("a workload is cut from the network, listed, and may talk again", async () => {
    assert.match((await call("quarantine")).out, /^No workload is cut/);
    const ordering = call("quarantine", "shop/db", "--reason", "odd traffic", "--except", "10.0.0.0/8:443-444");
    const settings = await eventuallyTold();
    const [quarantine] = settings.quarantines;
    assert.ok(quarantine);
    assert.deepEqual(quarantine.except, [{ peer: "10.0.0.0/8", ports: [443, 444] }]);
    const { id, until } = quarantine;
    const action = { kind: "quarantine" as const, limitMs: 60_000, except: [], onFailure: "open" as const };
    const answer = { container: "c2", containerName: "shop/db-0/db", alert: null, by: "admin", reason: "odd traffic" };
    const done = { node: "node-1", time: Date.now(), state: "done" as const, text: "cut", remedy: "", counts: null };
    await agent.ingest({
      body: {
        ...{ node: "node-1", spool: "spool-2", first: 1 },
        records: [{ type: "action", action: { ...done, ...answer, id: `${id}/c2`, action, until } }],
      },
    });
    const { code, out } = await ordering;
    assert.match(out, /^shop\/db: 1 of 1 container that runs cut from the network, and those that come later, until /);
    assert.equal(code, 0);
    assert.match((await call("quarantine")).out, /^default {2}shop\/db {2}until .*: odd traffic\n$/);
    assert.equal((await call("quarantine", "shop/db", "--undo")).out, "shop/db may talk again\n");
    await assert.rejects(call("quarantine", "shop/db", "--undo"), /shop\/db is not cut/);
  });

  test("a dry run says what each container's agent says", async () => {
    const trying = call("quarantine", "shop/db", "--reason", "odd", "--dry-run");
    const { orders } = await agent.takeOrders({ body: { taken: [] } });
    const [order] = orders;
    assert.ok(order?.order.kind === "act" && order.order.dryRun);
    const { id, by, reason, order: asked } = order;
    const record = { id, by, reason, action: asked.action, container: asked.container, alert: null, node: "node-1" };
    const said = { state: "dry-run" as const, text: "would cut it off, but cannot: no cgroup", remedy: "mount one" };
    await agent.ingest({
      body: {
        ...{ node: "node-1", spool: "spool-3", first: 1 },
        records: [
          {
            type: "action",
            action: {
              ...record,
              ...said,
              containerName: "shop/db-0/db",
              time: Date.now() + 1,
              until: null,
              counts: null,
            },
          },
        ],
      },
    });
    const { code, out } = await trying;
    assert.equal(code, 3, "it could not be done");
    assert.match(out, /shop\/db-0\/db on node-1: would cut it off, but cannot: no cgroup\. mount one\n1 container/);
  });

  test("a wrong call says what, and how to mend it", async () => {
    const plain = (...words: string[]) => callCommand(networkCommand, words);
    await assert.rejects(plain("learn"), /--server/);
    await assert.rejects(plain("learn", "--server", server.url, "--token-file", join(data, "none")), /none/);
    await assert.rejects(call("learn", "--hours", "0"), /--hours 0/);
    await assert.rejects(call("learn", "--grain", "city"), /--grain city/);
    await assert.rejects(call("replay"), /--policies/);
    await assert.rejects(call("quarantine", "shop"), /no workload/);
    await assert.rejects(call("quarantine", "shop/wbe", "--reason", "a"), /there is no workload shop\/wbe/);
    await assert.rejects(call("quarantine", "shop/db"), /--reason/);
    await assert.rejects(call("quarantine", "shop/db", "--reason", "a", "--except", "web"), /--except web/);
    const away = ["learn", "--server", "http://127.0.0.1:9", "--token-file", token];
    await assert.rejects(plain(...away), /does not answer/);
    writeFileSync(join(data, "bad"), "blw_wrong");
    await assert.rejects(plain("learn", "--server", server.url, "--token-file", join(data, "bad")), /127\.0\.0\.1/);
  });

  async function eventuallyTold() {
    for (;;) {
      const settings = await agent.readAgentSettings();
      if (settings.quarantines.length > 0) return settings;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});

function told(): AgentRecord[] {
  const time = Date.now() - hour;
  const end = (name: string): NetworkEnd => {
    const workload = { namespace: "shop", name, kind: "Deployment", pod: `${name}-0`, labels: { app: name } };
    return { ip: null, name: null, workload: { ...workload, serviceAccount: null, node: "node-1" } };
  };
  const flow: FlowHour = {
    ...{ hour: Math.floor(time / hour) * hour, side: "client", client: end("web"), server: end("db"), port: 5432 },
    ...{ protocol: "TCP", connections: 3, flows: 3, bytesOut: 1, bytesIn: 1, encrypted: 0, credential: false },
    results: { established: 3, refused: 0, "timed-out": 0, denied: 0, unknown: 0 },
    ...{ tls: [], clear: [], processes: ["web"], deniedBy: [], first: time, last: time },
  };
  const report = { node: "node-1", from: time, until: Date.now(), flows: [flow], lost: 0 };
  const one = sampleContainer(2, { id: "c2", node: "node-1", state: "running" });
  const owners = [{ kind: "Deployment", apiVersion: "apps/v1", name: "db", uid: "db" }];
  const metadata = { labels: {}, owners, serviceAccount: "default" };
  const pod = { namespace: "shop", name: "db-0", uid: "db-0", container: "db", metadata };
  return [
    { type: "flows", report },
    { type: "container", container: { ...one, pod } },
  ];
}
