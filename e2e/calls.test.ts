/** Wrong calls, and broken surroundings: what a person then gets. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { eventually, missing, run } from "@bulwark/testkit";
import { bulwark, end, login, startProduct } from "./product.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-calls-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function call(...args: string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(bulwark, args, { encoding: "utf8", timeout: 60_000 });
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
      const url = await eventually("it starts", () => /Console {2}(\S+)/.exec(text)?.[1], 60_000);
      const api = await login(url, /Log in {3}(\S+)/.exec(text)?.[1] ?? "");
      const sensor = await eventually(
        "the sensor's state is told",
        async () => (await api.getHealth()).components.find(({ id }) => id === "sensor"),
        60_000,
      );
      assert.equal(sensor.state, "off");
      assert.match(sensor.reason, /may not load eBPF/);
      assert.match(sensor.remedy, /root/);
      await eventually("the terminal says so too", () => /off +sensor +may not load eBPF/.exec(text)?.[0], 60_000);
    } finally {
      await end(child, "SIGTERM");
    }
  },
);
