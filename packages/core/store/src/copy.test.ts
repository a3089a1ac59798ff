import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { AgentRecord } from "@bulwark/model";
import {
  missing,
  run,
  sampleAlert,
  sampleContainer,
  sampleEvent,
  sampleReport,
  sampleWeakness,
  startPostgres,
  type TestPostgres,
} from "@bulwark/testkit";
import pg from "pg";
import { copyStore } from "./copy.ts";
import { openStore } from "./open.ts";
import type { Store } from "./store.ts";

const now = 1_700_000_100_000;
const events = 3000;

describe("a store is copied from SQLite to PostgreSQL", { skip: missing("postgresql") }, () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-copy-"));
  const from = join(folder, "bulwark.db");
  let server: TestPostgres;
  before(async () => {
    server = await startPostgres();
    await using store = await openStore({ sqlite: from });
    await fill(store);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  function database(name: string): string {
    run("psql", [server.url, "-qc", `create database ${name}`]);
    return server.url.replace(/[^/]*$/, name);
  }

  test("broken off and called again it goes on, and both sides are then the same", async () => {
    const to = database("whole");
    const stop = new AbortController();
    const seen: number[] = [];
    const broken = copyStore({
      from,
      to,
      signal: stop.signal,
      onProgress: ({ phase, table, done }) => {
        if (phase === "copy" && table === "events") {
          seen.push(done);
          stop.abort(new Error("broken off"));
        }
      },
    });
    await assert.rejects(broken, /broken off/);
    assert.deepEqual(seen, [1000]);

    const later: number[] = [];
    const tables = await copyStore({
      from,
      to,
      onProgress: ({ phase, table, done }) => {
        if (phase === "copy" && table === "events") later.push(done);
      },
    });
    assert.deepEqual(later, [2000, 3000, 3000], "what was copied before is not copied again");
    const rows = Object.fromEntries(tables.map((table) => [table.table, table.rows]));
    assert.equal(rows["events"], events);
    assert.equal(rows["alerts"], 1);
    for (const { checksum } of tables.filter((table) => table.rows > 0))
      assert.match(checksum, /^(?!0{32})[0-9a-f]{32}$/);

    // It is the same store: what was there is found, what comes is told apart from it.
    await using copy = await openStore({ postgresql: to });
    await using original = await openStore({ sqlite: from });
    assert.deepEqual(await copy.events.list({}, { limit: 100 }), await original.events.list({}, { limit: 100 }));
    assert.deepEqual(await copy.alerts.get(sampleAlert(1).id), await original.alerts.get(sampleAlert(1).id));
    assert.deepEqual(await copy.audit.verify(), { entries: 2, brokenAt: null });
    assert.equal((await copy.ingest.write(batch(1, [event(1)]), now)).stored, events);
    const { stored } = await copy.ingest.write(batch(events + 1, [event(events + 1)]), now);
    assert.equal(stored, events + 1);
    assert.equal((await copy.events.list({}, { limit: 1 })).items[0]?.id, sampleEvent(events + 1).id);
  });

  test("a change on the way is found", async () => {
    const to = database("changed");
    let changed = false;
    const copied = copyStore({
      from,
      to,
      onProgress: ({ phase }) => {
        if (phase === "copy" || changed) return;
        changed = true;
        run("psql", [to, "-qc", "update finding_details set body = replace(body, 'Weakness', 'Strength')"]);
      },
    });
    await assert.rejects(copied, { code: "mismatch" });
  });

  test("nothing is copied over something, from a file that is in use, or under a server that runs", async () => {
    const to = database("used");
    {
      await using store = await openStore({ postgresql: to });
      await store.settings.set("a", "b");
    }
    await assert.rejects(copyStore({ from, to }), { code: "not-empty" });
    const empty = database("running");
    {
      await using store = await openStore({ sqlite: from });
      await assert.rejects(copyStore({ from, to: empty }), { code: "in-use" });
      assert.equal(await store.ping(), true);
    }
    {
      await using store = await openStore({ postgresql: empty });
      await store.leases.take("server/one", "server/one", 60_000);
    }
    await assert.rejects(copyStore({ from, to: empty }), { code: "not-empty" });
    // Another store than the one whose copy is unfinished.
    const other = join(folder, "other.db");
    const half = database("half");
    await assert.rejects(copyStore({ from, to: half, signal: AbortSignal.abort(new Error("at once")) }), /at once/);
    await assert.rejects(copyStore({ from: other, to: half }), { code: "not-empty" });
  });

  test("no table is forgotten", async () => {
    const to = database("tables");
    const tables = (await copyStore({ from, to })).map(({ table }) => table);
    const client = new pg.Client({ connectionString: to });
    await client.connect();
    const { rows } = await client.query<{ tablename: string }>(
      "select tablename from pg_tables where schemaname = 'public' and tablename <> 'migrations' order by 1",
    );
    await client.end();
    assert.deepEqual(
      tables.toSorted(),
      rows.map(({ tablename }) => tablename),
    );
  });
});

const event = (n: number): AgentRecord => ({ type: "event", event: sampleEvent(n) });

function batch(first: number, records: AgentRecord[]) {
  return { node: "node-1", spool: "spool", first, records };
}

async function fill(store: Store): Promise<void> {
  await store.ingest.write(
    batch(
      1,
      Array.from({ length: events }, (_, n) => event(n + 1)),
    ),
    now,
  );
  const rest: AgentRecord[] = [
    // A name with NUL: SQLite keeps it, PostgreSQL cannot.
    { type: "container", container: sampleContainer(1, { labels: { odd: "a\0b" } }) },
    { type: "alert", alert: sampleAlert(1) },
    { type: "image", report: sampleReport(1) },
  ];
  await store.ingest.write({ ...batch(1, rest), spool: "other" }, now);
  await store.findings.replace(
    sampleReport(1).key,
    [0, 1, 2].map((n) => sampleWeakness(n)),
    ["vulnerability"],
    now,
  );
  for (const action of ["a", "b\0c"]) {
    await store.audit.append({ time: now, actor: "x", action, target: "", detail: {}, address: "" });
  }
  await store.agents.addJoinToken({ id: "t", hash: "h", cluster: "c", node: null, createdAt: now, expiresAt: now + 1 });
}
