/** From one machine to many: the same store, users and agents, on PostgreSQL. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { AgentRecord } from "@bulwark/model";
import { joinAgent, missing, run, sampleEvent, startPostgres } from "@bulwark/testkit";
import { bulwark, login, startProduct } from "./product.ts";

test(
  "after the copy the server goes on on PostgreSQL, and its agents do not notice",
  { skip: missing("postgresql") },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "bulwark-copy-"));
    const data = join(folder, "data");
    await using postgres = await startPostgres();
    const records = Array.from({ length: 150 }, (_, n): AgentRecord => ({ type: "event", event: sampleEvent(n) }));
    try {
      const before = await startProduct({ command: "serve", data });
      const token = run(bulwark, ["join", "node-1", "--data", data]).trim();
      const agent = await joinAgent(before.agentsUrl, token, "node-1");
      assert.equal((await agent.send(1, records.slice(0, 100))).status, 200);
      const running = spawnSync(bulwark, ["store", "copy", "--data", data, "--to", postgres.url], { encoding: "utf8" });
      assert.match(running.stderr, /in use by another Bulwark/);
      assert.equal(running.status, 2);
      await before[Symbol.asyncDispose]();

      assert.match(run(bulwark, ["store", "copy", "--data", data, "--to", postgres.url]), /^events +100 /m);
      const again = spawnSync(bulwark, ["store", "copy", "--data", data, "--to", postgres.url], { encoding: "utf8" });
      assert.match(again.stderr, /not empty.*createdb/);

      await using after = await startProduct({ command: "serve", data, env: { DATABASE_URL: postgres.url } });
      const api = await login(after.url, run(bulwark, ["login", "--data", data]).trim());
      // The agent did not hear that its last batch was stored: it sends it again, with what is new.
      const { body } = await agent.send(51, records.slice(50), after.agentsUrl);
      assert.equal(body["stored"], 150);
      const { items } = await api.listEvents({ query: { limit: 500 } });
      assert.equal(items.length, 150);
      assert.equal((await api.getHealth()).components.find(({ id }) => id === "database")?.state, "ok");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
