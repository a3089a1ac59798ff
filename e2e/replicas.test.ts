/** Past one machine, and its bad days: what was sent, what arrived, and what arrived twice. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { StoredAlert } from "@bulwark/model";
import { eventually, missing, run, sampleAlert, sampleReport } from "@bulwark/testkit";
import { openPage } from "../apps/server/src/http/page.fixture.ts";
import { bulwark } from "./product.ts";
import { clientAt, countEvents, longestGap, startSender, startWorld, type Sender, type World } from "./replicas.ts";

const skip = missing("postgresql", "nats");
const nodes = ["worker-1", "worker-2", "worker-3"];

describe("replicas on PostgreSQL and NATS", { skip }, () => {
  let world: World;
  let senders: Sender[] = [];
  let headers: Record<string, string> = {};

  before(async () => {
    world = await startWorld(["one", "two"]);
    const token = world.token();
    const servers = world.replicas.map(({ agentsUrl }) => agentsUrl);
    // Each begins with another replica.
    senders = await Promise.all(
      nodes.map(async (node, n) =>
        startSender({
          node,
          servers: n % 2 === 0 ? servers : servers.toReversed(),
          token,
          folder: join(world.folder, node),
        }),
      ),
    );
    headers = await logIn(world);
  });
  after(async () => {
    for (const sender of senders) await sender[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  /** Sends while something bad happens. */
  async function under(load: { seconds: number; bad: () => Promise<void> }): Promise<void> {
    const end = Date.now() + load.seconds * 1000;
    const happening = new Promise((resolve) => setTimeout(resolve, 1000)).then(load.bad);
    while (Date.now() < end) {
      await Promise.all(senders.map(async (sender) => sender.send(50)));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await happening;
  }

  /** All that was sent has arrived, once. */
  async function allArrived(what: string): Promise<void> {
    await eventually(
      "the spools are empty",
      () => {
        const waits = senders.filter((sender) => sender.waiting() > 0);
        if (waits.length === 0) return true;
        throw new Error(waits.map(({ node, uplink }) => `${node}: ${JSON.stringify(uplink.state)}`).join("; "));
      },
      30_000,
    );
    const { arrived, twice } = await countEvents(world.store);
    const sent = senders.map((sender) => sender.sent);
    const got = senders.map(({ node }) => arrived.get(node) ?? 0);
    const gap = Math.max(...senders.map(({ acknowledged }) => longestGap(acknowledged)));
    console.log(`${what}: sent ${sum(sent)}, arrived ${sum(got)}, twice ${twice}, longest without an answer ${gap} ms`);
    assert.deepEqual(got, sent);
    assert.equal(twice, 0);
    for (const { acknowledged } of senders) acknowledged.length = 0;
  }

  test("a replica that is killed under load: agents move on, nothing is lost, nothing counted twice", async () => {
    const [one, two] = world.replicas;
    assert.ok(one && two);
    await under({
      seconds: 5,
      bad: async () => void one.process.kill("SIGKILL"),
    });
    for (const { acknowledged } of senders) {
      assert.ok(longestGap(acknowledged) < 10_000, `${longestGap(acknowledged)} ms without an answer`);
    }
    await allArrived("replica killed");
    // A page that was open at the dead one goes on at the other, and hears of what comes.
    const page = await openPage(two, headers, "alert");
    await page.next();
    await senders[0]?.emit([{ type: "alert", alert: alertOf("worker-1", 1) }]);
    const first = await page.next();
    assert.equal((first?.data as StoredAlert | undefined)?.id, "worker-1/run/alert-1");
    page.close();
    await world.start("one");
  });

  test("PostgreSQL restarts under load, as after a crash", async () => {
    await under({ seconds: 5, bad: async () => world.postgres.restart() });
    await allArrived("PostgreSQL restarted");
    for (const replica of world.replicas) {
      assert.equal(replica.process.exitCode, null, `${replica.name} has ended`);
      await eventually("the replica is ready", async () => (await fetch(`${replica.url}/readyz`)).ok || undefined);
    }
  });

  test("NATS restarts under load; work and live pages go on", async () => {
    await under({ seconds: 5, bad: async () => world.nats.restart() });
    await allArrived("NATS restarted");
    const [one, two] = world.replicas;
    assert.ok(one && two);
    await eventually("both are ready", async () => {
      const answers = await Promise.all([one, two].map(async ({ url }) => fetch(`${url}/readyz`)));
      return answers.every(({ ok }) => ok) ? true : undefined;
    });
    // What one replica takes in is heard of at both.
    const pages = await Promise.all([one, two].map(async (replica) => openPage(replica, headers, "alert,image")));
    for (const page of pages) await page.next();
    const report = sampleReport(1);
    await senders[0]?.emit([
      { type: "alert", alert: alertOf("worker-1", 2) },
      { type: "image", report },
    ]);
    for (const page of pages) {
      const heard = new Set([await page.next(), await page.next()].map((message) => message?.event));
      assert.deepEqual(heard, new Set(["alert", "image"]));
      page.close();
    }
  });

  test("a change is with every agent within seconds, whichever replica it was made at", async () => {
    const [, two] = world.replicas;
    assert.ok(two);
    const began = Date.now();
    const { revision } = await clientAt(two, headers).setAgentSettings({ body: { disabledRules: ["drift"] } });
    await eventually("every agent has heard", async () => {
      await Promise.all(senders.map(async (sender) => sender.send(1)));
      return senders.every(({ settings }) => settings.at(-1) === revision) ? true : undefined;
    });
    console.log(`settings at every agent after ${Date.now() - began} ms`);
    assert.ok(Date.now() - began < 5000);
    await allArrived("settings changed");
  });

  test("an agent that is killed in the middle of an alert loses none that was on its disk, and tells none twice", async () => {
    const servers = world.replicas.map(({ agentsUrl }) => agentsUrl).join(",");
    const token = world.token();
    const folder = join(world.folder, "killed");
    let onDisk = 0;
    for (const milliseconds of [900, 1300, 0]) {
      const last = milliseconds === 0 ? onDisk + 20 : 100_000;
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, "alerts.child.ts"), "killed", servers, token, folder, String(onDisk), String(last)],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (milliseconds > 0) {
        await eventually("it raises alerts", () => (text.includes("\n") ? true : undefined));
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
        child.kill("SIGKILL");
      }
      await ended;
      const numbers = text.split("\n").slice(0, -1).map(Number);
      onDisk = (numbers.at(-1) ?? onDisk - 1) + 1;
    }
    const ids: string[] = [];
    for (let cursor: string | undefined; ;) {
      const { items, next } = await world.store.alerts.list({}, { cursor, limit: 500 });
      ids.push(...items.filter(({ node }) => node === "killed").map(({ id }) => id));
      if (next === null) break;
      cursor = next;
    }
    const arrived = new Set(ids);
    console.log(`agent killed: on disk ${onDisk}, arrived ${arrived.size}, twice ${ids.length - arrived.size}`);
    assert.ok(onDisk > 40, `only ${onDisk} alerts were raised`);
    for (let n = 0; n < onDisk; n++) assert.ok(arrived.has(`killed/run/alert-${n}`), `alert ${n} is lost`);
    assert.equal(ids.length, arrived.size);
    // The one that was being written when it was killed may have arrived too: on disk, but not yet told.
    assert.ok(arrived.size <= onDisk + 2);
  });

  test("a node that is away fills its spool, and brings all of it when it is back", async () => {
    const [one] = world.replicas;
    assert.ok(one);
    const folder = join(world.folder, "away");
    const token = world.token();
    const node = "away";
    {
      // Nobody listens where it looks.
      await using sender = await startSender({ node, servers: ["https://127.0.0.1:9"], token, folder });
      await sender.send(12_000);
      await eventually("it says that it is alone", () => (sender.uplink.state.state === "away" ? true : undefined));
      assert.equal(sender.waiting(), 12_000);
    }
    await using back = await startSender({ node, servers: [one.agentsUrl], token, folder });
    await eventually("the spool is empty", () => (back.waiting() === 0 ? true : undefined));
    const { arrived, twice } = await countEvents(world.store);
    console.log(`node away: sent 12000, arrived ${arrived.get(node)}, twice ${twice}`);
    assert.equal(arrived.get(node), 12_000);
    assert.equal(twice, 0);
  });

  test("a certificate that is revoked at one replica is refused at the other, on a connection that is open", async () => {
    const [one, two] = world.replicas;
    assert.ok(one && two);
    const node = "revoked";
    await using sender = await startSender({
      node,
      servers: [two.agentsUrl],
      token: world.token(),
      folder: join(world.folder, node),
    });
    await sender.send(100);
    await eventually("they arrive", () => (sender.waiting() === 0 ? true : undefined));
    assert.match(run(bulwark, ["agents", "list", "--data", one.data]), /^revoked +default +good/m);
    run(bulwark, ["agents", "revoke", node, "--data", one.data]);
    await sender.send(100);
    await eventually("it is refused", () => (sender.uplink.state.state === "refused" ? true : undefined));
    assert.match(sender.uplink.state.reason, /revoked/);
    assert.equal(sender.waiting(), 100);
    const { arrived } = await countEvents(world.store);
    console.log(`revoked: sent 100 before and 100 after, arrived ${arrived.get(node)}`);
    assert.equal(arrived.get(node), 100);
    assert.match(run(bulwark, ["agents", "list", "--data", two.data]), /^revoked +default +revoked/m);
  });

  test("a replica and an agent whose clocks are a minute off, each its own way, do their work", async () => {
    const clock = `--import ${new URL("clock.mjs", import.meta.url).href}`;
    const late = await world.start("late", { NODE_OPTIONS: clock, CLOCK_OFFSET: "-60000" });
    const early = await world.start("early", { NODE_OPTIONS: clock, CLOCK_OFFSET: "60000" });
    const node = "skewed";
    const token = world.token();
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, "alerts.child.ts"),
        node,
        [early.agentsUrl, late.agentsUrl].join(","),
        token,
        join(world.folder, node),
        "0",
        "50",
      ],
      { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, NODE_OPTIONS: clock, CLOCK_OFFSET: "-60000" } },
    );
    const code = await new Promise((resolve) => child.once("exit", resolve));
    assert.equal(code, 0);
    const { items } = await world.store.alerts.list({}, { limit: 500 });
    assert.equal(items.filter((alert) => alert.node === node).length, 50);

    // A session of one holds at the other; each sees the other as well; nobody takes a live replica for dead.
    for (const replica of [early, late, ...world.replicas]) {
      const components = await eventually("both are well", async () => {
        const all = (await clientAt(replica, headers).getHealth()).components;
        const names = new Set(all.map((item) => item.node));
        return names.has("server/early") && names.has("server/late") ? all : undefined;
      });
      for (const name of ["server/early", "server/late"]) {
        const api = components.find((item) => item.node === name && item.id === "api");
        assert.equal(api?.state, "ok", `${replica.name} says of ${name}: ${api?.reason ?? "nothing"}`);
      }
    }
    const { sessions, retention } = await leases(world);
    assert.equal(sessions, 4);
    assert.equal(retention, 1);
  });
});

async function leases(world: World): Promise<{ sessions: number; retention: number }> {
  const held = (await world.store.leases.list("")).filter(({ left }) => left > 0);
  return {
    sessions: held.filter(({ name }) => name.startsWith("server/")).length,
    retention: held.filter(({ name }) => name === "job/retention").length,
  };
}

async function logIn({ replicas: [one] }: World): Promise<Record<string, string>> {
  assert.ok(one);
  const token = new URL(one.loginLink()).hash.slice("#token=".length);
  const answer = await fetch(`${one.url}/api/v1/session/link`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  assert.ok(answer.ok, await answer.clone().text());
  const { csrf } = (await answer.json()) as { csrf: string };
  return { cookie: answer.headers.getSetCookie()[0]?.split(";")[0] ?? "", "x-csrf-token": csrf };
}

function alertOf(node: string, n: number) {
  return sampleAlert(n, { node, id: `${node}/run/alert-${n}`, container: null, attribution: "host" });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
