/** Wrong calls, broken surroundings, and processes that die: what a person then gets. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
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
import { bulwark, login, startProduct } from "./product.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-bad-days-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function call(...args: string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(bulwark, args, { encoding: "utf8", timeout: 30_000 });
  return { status, stderr };
}

describe("a wrong call is one line that says what, where and how to mend, and exit code 2", () => {
  const broken = join(folder, "broken.yaml");
  writeFileSync(broken, "server:\n  prot: 1\n");
  const cases: Record<string, [args: string[], expected: RegExp]> = {
    "an unknown command": [["frobnicate"], /no command "frobnicate"; bulwark --help/],
    "an unknown flag": [["up", "--frobnicate"], /Unknown option '--frobnicate'/],
    "a configuration with a word that is none": [
      ["up", "--config", broken],
      /broken\.yaml:2: server: no such setting: prot/,
    ],
    "a configuration that is not there": [["up", "--config", "/nonexistent.yaml"], /\/nonexistent\.yaml: .*--config/],
    "a port that is none": [["up", "--port", "99999"], /--port 99999: not a port/],
    "an agent that is to speak in the clear": [
      ["agent", "--server", "http://127.0.0.1:1"],
      /connects by https only.*https:\/\/HOST:8444/,
    ],
    "an agent with a name that is none": [
      ["agent", "--server", "https://127.0.0.1:1", "--node", "a/b"],
      /a\/b is no name for a node.*--node/,
    ],
    "a token for nobody": [["join"], /name one node, or say --any/],
    "a login where no server runs": [["login", "--data", join(folder, "none")], /no server can be reached.*bulwark up/],
    "an image that is not there": [["scan", "image", "/nonexistent.tar"], /\/nonexistent\.tar is not there/],
    "a database that is not there": [
      ["db", "status", "--data", join(folder, "none")],
      /no advisory database.*bulwark db update/,
    ],
  };
  for (const [name, [args, expected]] of Object.entries(cases)) {
    test(name, () => {
      const { status, stderr } = call(...args);
      assert.match(stderr, expected);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
      assert.equal(status, 2);
    });
  }
});

test("every command tells how it is called", () => {
  const help = run(bulwark, ["--help"]);
  const names = [...help.matchAll(/^ {2}(\w+) {2,}/gm)].map(([, name]) => name ?? "");
  assert.ok(names.length >= 8);
  for (const name of names) assert.match(run(bulwark, [name, "--help"]), new RegExp(`^Usage: bulwark ${name}`));
});

test("a second Bulwark on the same data folder, and one on a busy port, are refused", async () => {
  await using product = await startProduct({ command: "serve" });
  const second = call("serve", "--data", product.data, "--port", "0");
  assert.match(second.stderr, /in use by another Bulwark.*--data/);
  assert.equal(second.status, 2);

  await using other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  assert.ok(typeof address === "object" && address);
  const busy = call("serve", "--data", join(folder, "busy"), "--port", String(address.port));
  assert.match(busy.stderr, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${address.port}`));
  assert.equal(busy.status, 2);
});

test("the login link works once, and a new one is to be had by who may read the data folder", async () => {
  await using product = await startProduct({ command: "serve" });
  await product.api();
  await assert.rejects(product.api(), /refused/);
  const link = run(bulwark, ["login", "--data", product.data]).trim();
  const api = await login(product.url, link);
  assert.equal((await api.getSession()).user.name, "admin");
});

test(
  "without any right it starts all the same, and says what is off, why, and what would turn it on",
  { skip: missing("root") },
  async () => {
    const data = join(folder, "powerless");
    const flags = ["--bounding-set=-all", "--inh-caps=-all", bulwark, "up", "--data", data, "--port", "0"];
    const child = spawn("setpriv", flags, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", BULWARK_LOG: "error" },
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    try {
      const url = await eventually("it starts", () => /Console {2}(\S+)/.exec(text)?.[1], 20_000);
      const api = await login(url, /Log in {3}(\S+)/.exec(text)?.[1] ?? "");
      const sensor = await eventually("the sensor's state is told", async () =>
        (await api.getHealth()).components.find(({ id }) => id === "sensor"),
      );
      assert.equal(sensor.state, "off");
      assert.match(sensor.reason, /may not load eBPF/);
      assert.match(sensor.remedy, /root/);
      await eventually("the terminal says so too", () => /off +sensor +may not load eBPF/.exec(text)?.[0]);
    } finally {
      await end(child, "SIGTERM");
    }
  },
);

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

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}
