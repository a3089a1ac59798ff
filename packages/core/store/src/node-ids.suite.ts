import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { sampleAlert, sampleContainer } from "@bulwark/testkit";
import type { AgentRecord } from "@bulwark/model";
import type { Engine } from "./engine.ts";
import { migrate } from "./migrations/migrate.ts";
import { nodeIds } from "./migrations/0004-node-ids.ts";
import { agentRepository } from "./repositories/agents.ts";
import { containerRepository } from "./repositories/containers.ts";
import { healthRepository } from "./repositories/health.ts";
import { createFlowSums } from "./repositories/flow-sums.ts";
import { ingestRepository } from "./repositories/ingest.ts";

const now = 1_700_000_100_000;

/** What was kept under a node's name alone is its own afterwards, and what it sends again is not stored twice. */
export function nodeIdsContract(name: string, options: { skip: string | false; open: () => Promise<Engine> }): void {
  test(`a database of before clusters had nodes of their own goes on, on ${name}`, { skip: options.skip }, async () => {
    await using engine = await options.open();
    await migrate(engine);
    const agents = agentRepository(engine);
    const ingest = ingestRepository(engine, createFlowSums(engine));
    const times = { issuedAt: now, expiresAt: now + 1e9, revokedAt: null, seenAt: null };
    for (const [node, cluster] of [
      ["worker-1", "east"],
      ["worker-2", "default"],
      ["cluster:east", "east"],
    ] as const) {
      await agents.renew({ fingerprint: node, node, cluster, publicKey: "", address: "", ...times });
      const health = {
        id: "sensor",
        node,
        state: "ok",
        summary: "",
        reason: "",
        remedy: "",
        counters: {},
        updatedAt: 1,
      };
      const records = [
        { type: "container", container: sampleContainer(1, { node, id: `of-${node}` }) },
        { type: "health", components: [health] },
        { type: "alert", alert: sampleAlert(1, { node, id: `${node}/boot/1` }) },
      ] as AgentRecord[];
      await ingest.write({ node, spool: `${node}/s`, first: 1, records }, now);
    }

    await engine.write.transaction().execute(async (tx) => nodeIds(tx, engine.kind));
    const { items } = await containerRepository(engine).list({ node: "east/worker-1" }, { limit: 9 });
    assert.deepEqual(
      items.map(({ id, node }) => `${node} ${id}`),
      ["east/worker-1 of-worker-1"],
    );
    const components = (await healthRepository(engine).list()).map(({ node }) => node);
    assert.deepEqual(components.toSorted(), ["cluster:east", "east/worker-1", "worker-2"]);
    const { rows } = await sql<{ node: string; id: string }>`select node, id from spools order by node`.execute(
      engine.read,
    );
    assert.deepEqual(
      rows.map(({ node, id }) => `${node} ${id}`),
      ["cluster:east cluster:east/s", "east/worker-1 east/worker-1/s", "worker-2 worker-2/s"],
    );
    const again = sampleContainer(2, { node: "east/worker-1" });
    const batch = { node: "east/worker-1", spool: "east/worker-1/s", first: 3 };
    const result = await ingest.write({ ...batch, records: [{ type: "container", container: again }] }, now);
    assert.equal(result.stored, 3, "it is known already");
  });
}
