/** Processes that die, and surroundings that lack everything: what a person then gets. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { AgentRecord } from "@bulwark/model";
import {
  eventually,
  freePort,
  joinAgent,
  missing,
  run,
  runWithRunc,
  sampleEvent,
  type TestAgent,
} from "@bulwark/testkit";
import { bulwark, end, startProduct } from "./product.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-bad-days-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("the demo needs nothing, lets one in within ten seconds, and shows its attack", async () => {
  const began = Date.now();
  await using product = await startProduct({ command: "demo", env: { PATH: "/usr/bin:/bin" } });
  const api = await product.api();
  assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
  const rules = await eventually(
    "both alerts",
    async () => {
      const { items } = await api.listAlerts({ query: {} });
      return items.length >= 2 ? items.map(({ rule }) => rule).toSorted() : undefined;
    },
    30_000,
  );
  assert.deepEqual(rules, ["drift", "reverse-shell"]);
  assert.ok((await api.getOverview()).openFindings.unknown > 10);
});

test("kill -9 of the server under load loses nothing that it acknowledged, and counts nothing twice", async () => {
  const data = join(folder, "killed");
  let acknowledged = 0;
  let sent = 0;
  let agent: TestAgent | undefined;
  const batch = (first: number, count: number): AgentRecord[] =>
    Array.from({ length: count }, (_, index) => ({ type: "event", event: sampleEvent(first + index) }));

  for (const round of [1, 2, 3]) {
    await using product = await startProduct({ command: "serve", data });
    // What was issued before the server was killed is good after it.
    agent ??= await joinAgent(product.agentsUrl, run(bulwark, ["join", "node-1", "--data", data]).trim(), "node-1");
    const killer = setTimeout(() => product.process.kill("SIGKILL"), 300 * round);
    try {
      for (;;) {
        const first = acknowledged + 1;
        const records = batch(first, 200);
        sent = Math.max(sent, first + records.length - 1);
        const { status, body } = await agent.send(first, records, product.agentsUrl);
        assert.equal(status, 200, JSON.stringify(body));
        acknowledged = Number(body["stored"]);
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      // The server is dead: that was the point.
    } finally {
      clearTimeout(killer);
    }
  }

  await using product = await startProduct({ command: "serve", data });
  const api = await product.api();
  const seen = new Set<string>();
  let total = 0;
  for (let cursor: string | undefined; ;) {
    const { items, next } = await api.listEvents({ query: { limit: 500, ...(cursor !== undefined && { cursor }) } });
    total += items.length;
    for (const { id } of items) seen.add(id);
    if (next === null) break;
    cursor = next;
  }
  assert.ok(acknowledged > 200, `only ${acknowledged} were acknowledged`);
  for (let n = 1; n <= acknowledged; n++)
    assert.ok(seen.has(sampleEvent(n).id), `event ${n} of ${acknowledged} is lost`);
  assert.equal(total, seen.size, "an event is there twice");
  assert.ok(total <= sent);
});

test(
  "while the server is away the agent keeps everything, and delivers it afterwards",
  { skip: missing("root", "bpf", "clang", "runc", "busybox") },
  async () => {
    await using container = runWithRunc();
    const data = join(folder, "away");
    const port = await freePort();
    const config = `agent:\n  runtimes: { containerd: [], docker: [], cri-o: [], podman: [], crun: [], runc: ["${container.root}"] }\n`;
    const file = join(folder, "away.yaml");
    writeFileSync(file, config);

    const agentsPort = await freePort();
    let server = await startProduct({ command: "serve", data, port, agentsPort });
    const token = run(bulwark, ["join", "node-1", "--data", data]).trim();
    const agent = spawn(
      bulwark,
      ["agent", "--server", server.agentsUrl, "--node", "node-1", "--data", join(folder, "agent"), "--config", file],
      {
        stdio: "inherit",
        env: { ...process.env, BULWARK_JOIN_TOKEN: token },
      },
    );
    try {
      const api = await server.api();
      await eventually("the agent watches", async () => {
        const { components } = await api.getHealth();
        return components.find(({ id, state }) => id === "sensor" && state === "ok");
      });
      await server[Symbol.asyncDispose]();
      for (let n = 0; n < 20; n++) container.exec("/bin/echo", `while-away-${n}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await end(agent, "SIGKILL");
      container.exec("/bin/echo", "nobody-looks");

      server = await startProduct({ command: "serve", data, port, agentsPort });
      const again = spawn(
        bulwark,
        ["agent", "--server", server.agentsUrl, "--node", "node-1", "--data", join(folder, "agent"), "--config", file],
        {
          stdio: "inherit",
          env: { ...process.env, BULWARK_JOIN_TOKEN: token },
        },
      );
      try {
        const later = await server.api();
        const words = await eventually("all twenty arrive", async () => {
          const page = await later.listEvents({ query: { q: "while-away", kind: "exec", limit: 500 } });
          const items = page.items.filter((item) => item.kind !== "audit");
          const found = new Set(
            items.flatMap((item) => item.process.arguments.filter((word) => word.startsWith("while-away"))),
          );
          return found.size === 20 ? items : undefined;
        });
        assert.ok(words.every(({ container: whose }) => whose?.id === container.id));
      } finally {
        await end(again, "SIGTERM");
      }
    } finally {
      await end(agent, "SIGKILL");
      await server[Symbol.asyncDispose]();
    }
  },
);
