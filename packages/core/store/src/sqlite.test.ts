import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { missing, run, sampleEvent } from "@bulwark/testkit";
import type { AgentRecord, Event, Page } from "@bulwark/model";
import { benchmarksContract } from "./benchmarks.suite.ts";
import { runningPoliciesContract } from "./running-policies.suite.ts";
import { flowsContract } from "./flows.suite.ts";
import { storeContract } from "./contract.suite.ts";
import { kubernetesContract } from "./kubernetes.suite.ts";
import { manyNodesContract } from "./many-nodes.suite.ts";
import { nodeIdsContract } from "./node-ids.suite.ts";
import { scansContract } from "./scans.suite.ts";
import { StoreError } from "./error.ts";
import { openStore } from "./open.ts";
import { openSqlite } from "./sqlite/engine.ts";
import type { Store } from "./store.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-store-"));
after(() => rmSync(folder, { recursive: true, force: true }));

storeContract("SQLite", { skip: false, open: async () => openStore({ sqlite: join(folder, "bulwark.db") }) });
runningPoliciesContract("SQLite", {
  skip: false,
  open: async () => openStore({ sqlite: join(folder, "running.db") }),
});
flowsContract("SQLite", { skip: false, open: async () => openStore({ sqlite: join(folder, "flows.db") }) });
benchmarksContract("SQLite", { skip: false, open: async () => openStore({ sqlite: join(folder, "benchmarks.db") }) });
kubernetesContract("SQLite", { skip: false, open: async () => openStore({ sqlite: join(folder, "kube.db") }) });
manyNodesContract("SQLite", { skip: false, open: async () => openStore({ sqlite: join(folder, "nodes.db") }) });
scansContract("SQLite", { skip: false, open: async () => openStore({ sqlite: join(folder, "scans.db") }) });
nodeIdsContract("SQLite", { skip: false, open: async () => openSqlite(join(folder, "node-ids.db")) });

const now = 1_700_000_100_000;

function isStoreError(code: StoreError["code"]): (error: unknown) => boolean {
  return (error) => error instanceof StoreError && error.code === code;
}

async function allEvents(store: Store): Promise<Event[]> {
  const events: Event[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<Event> = await store.events.list({}, { cursor, limit: 500 });
    events.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return events;
}

/** Arguments that no compression makes small. */
function noise(count: number, first: number): AgentRecord[] {
  return Array.from({ length: count }, (_, n): AgentRecord => {
    const event = sampleEvent(first + n, { id: String(first + n) });
    const text = Buffer.from(crypto.getRandomValues(new Uint8Array(1500))).toString("base64");
    return { type: "event", event: { ...event, process: { ...event.process, arguments: [text] } } };
  });
}

test("a data file that is open is refused to others, by whatever name, and free again afterwards", async () => {
  const path = join(folder, "used", "bulwark.db");
  {
    await using _store = await openStore({ sqlite: path });
    symlinkSync(join(folder, "used"), join(folder, "link"));
    await assert.rejects(openStore({ sqlite: path }), isStoreError("in-use"));
    await assert.rejects(openStore({ sqlite: join(folder, "link", "bulwark.db") }), isStoreError("in-use"));
    assert.equal(statSync(path).mode & 0o077, 0, "nobody else may read it");
  }
  await using _again = await openStore({ sqlite: path });
});

test("a database of a newer Bulwark, and a file that is none, are refused and left as they are", async () => {
  const path = join(folder, "newer.db");
  await (await openStore({ sqlite: path }))[Symbol.asyncDispose]();
  const raw = new DatabaseSync(path);
  raw.exec("insert into migrations values (9999, 0)");
  raw.close();
  await assert.rejects(openStore({ sqlite: path }), isStoreError("newer"));

  const text = join(folder, "text.db");
  writeFileSync(text, "no database, but long enough to look at. ".repeat(100));
  await assert.rejects(openStore({ sqlite: text }), isStoreError("unavailable"));
});

test("a change in the audit log is found", async () => {
  const path = join(folder, "audit.db");
  {
    await using store = await openStore({ sqlite: path });
    const entry = { time: now, actor: "admin\0", action: "login", target: "", detail: {}, address: "" };
    for (let n = 0; n < 5; n++) await store.audit.append(entry);
    assert.deepEqual(await store.audit.verify(), { entries: 5, brokenAt: null });
  }
  const raw = new DatabaseSync(path);
  raw.exec("update audit set actor = 'nobody' where id = 3");
  raw.close();
  await using store = await openStore({ sqlite: path });
  assert.deepEqual(await store.audit.verify(), { entries: 2, brokenAt: 3 });
});

test("retention by bytes takes the oldest events, and the file gets smaller", async () => {
  await using store = await openStore({ sqlite: join(folder, "retain.db") });
  for (let n = 0; n < 6; n++) {
    await store.ingest.write({ node: "node-1", spool: "s", first: n * 2000 + 1, records: noise(2000, n * 2000) }, now);
  }
  await store.retain({ bytes: Number.MAX_SAFE_INTEGER }, now);
  const before = (await store.size()).bytes;
  const limit = Math.floor(before / 3);
  const { events } = await store.retain({ bytes: limit }, now);
  assert.ok(events > 0 && events < 12_000, `${events} events went`);
  const left = await allEvents(store);
  assert.equal(left.length, 12_000 - events);
  assert.equal(left[0]?.id, "11999", "the latest is still there");
  assert.equal(left.at(-1)?.id, String(events), "the oldest went first");
  const { bytes } = await store.size();
  assert.ok(bytes <= limit * 1.1, `${bytes} of ${before} bytes, ${limit} allowed`);
});

test("a search among the events of one container stays in the index of containers", async () => {
  const path = join(folder, "plan.db");
  await (await openStore({ sqlite: path }))[Symbol.asyncDispose]();
  const raw = new DatabaseSync(path, { readOnly: true });
  const plan = raw
    .prepare(
      `explain query plan select time, id from events where kind = ? and container = ? and time >= ? and time <= ?
        and search like ? order by time desc, id desc limit 101`,
    )
    .all("exec", 1, 1, 2, "%a%");
  raw.close();
  assert.match(
    JSON.stringify(plan),
    /USING INDEX events_container \(container=\? AND kind=\? AND time>\? AND time<\?\)/,
  );
});

test("kill -9 loses nothing that was acknowledged", async () => {
  const path = join(folder, "killed", "bulwark.db");
  for (let round = 0; round < 3; round++) {
    rmSync(join(folder, "killed"), { recursive: true, force: true });
    const child = spawn(process.execPath, [join(import.meta.dirname, "durability.child.ts"), path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await once(child.stdout, "data");
    await assert.rejects(openStore({ sqlite: path }), isStoreError("in-use"));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
    child.kill("SIGKILL");
    await once(child, "close");
    const acknowledged = Number(output.trim().split("\n").at(-1));
    assert.ok(acknowledged > 0);

    await using store = await openStore({ sqlite: path });
    const ids = new Set((await allEvents(store)).map(({ id }) => id));
    for (let number = 1; number <= acknowledged; number++) {
      if (number % 50 === 1) assert.ok(await store.alerts.get(`alert-${number}`), `alert ${number}`);
      else assert.ok(ids.has(String(number)), `event ${number} of ${acknowledged}`);
    }
    const records: AgentRecord[] = [{ type: "event", event: sampleEvent(1) }];
    const { stored } = await store.ingest.write({ node: "node-1", spool: "s", first: 1, records }, now);
    assert.equal(stored % 50, 0, "batches are whole");
    const raw = new DatabaseSync(path, { readOnly: true });
    assert.deepEqual(
      raw
        .prepare("pragma integrity_check")
        .all()
        .map((row) => ({ ...row })),
      [{ integrity_check: "ok" }],
    );
    raw.close();
  }
});

test(
  "a full disk is said, nothing is half written, and it goes on when there is room",
  { skip: missing("root") },
  async () => {
    const disk = join(folder, "disk");
    mkdirSync(disk);
    run("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", disk]);
    try {
      await using store = await openStore({ sqlite: join(disk, "bulwark.db") });
      let stored = 0;
      await assert.rejects(async () => {
        for (;;) {
          const records = noise(300, stored);
          ({ stored } = await store.ingest.write({ node: "node-1", spool: "s", first: stored + 1, records }, now));
        }
      }, isStoreError("full"));
      assert.ok(stored > 0);
      assert.equal((await allEvents(store)).length, stored);
      run("mount", ["-o", "remount,size=30m", disk]);
      const again = await store.ingest.write(
        { node: "node-1", spool: "s", first: stored + 1, records: noise(300, stored) },
        now,
      );
      assert.equal(again.stored, stored + 300);
      assert.equal((await allEvents(store)).length, stored + 300);
    } finally {
      run("umount", [disk]);
    }
  },
);
