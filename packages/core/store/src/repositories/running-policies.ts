import type { PolicyViolation, RunningTally, RunningVerdict } from "@bulwark/model";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine, Value } from "../engine.ts";
import type { Tx } from "../schema.ts";
import type { PolicyResult, PolicyRun, RunningPolicyRepository } from "../store.ts";
import { withoutNul } from "../text.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

const tallyColumns: Columns = { cluster: "text", policy: "text", body: "text" };
const tallyReplaces = "on conflict (cluster, policy) do update set body = excluded.body";
const columns: Columns = {
  ...{ cluster: "text", policy: "text", namespace: "text", name: "text", kind: "text", verdict: "text" },
  ...{ since: "bigint", judged_at: "bigint", search: "text", body: "text" },
};
/** `since` stays while the verdict does. */
const replaces = `on conflict (policy, cluster, namespace, name, kind) do update set verdict = excluded.verdict,
  since = case policy_violations.verdict when excluded.verdict then policy_violations.since else excluded.since end,
  judged_at = excluded.judged_at, search = excluded.search, body = excluded.body`;
const order = ["policy", "cluster", "namespace", "name", "kind"] as const;
/** Rows of one transaction, about: whoever else writes waits no longer than these take. */
const rowsAtOnce = 2000;

export function runningPolicyRepository(engine: Engine): RunningPolicyRepository {
  const { read, write } = engine;
  return {
    async put(run, results) {
      for (const batch of batchesOf(results)) {
        await write.transaction().execute(async (tx) => putResults(engine, tx, run, batch));
      }
      const names = engine.list(results.map(({ policy }) => policy));
      const body = JSON.stringify(run);
      await write.transaction().execute(async (tx) => {
        for (const table of ["policy_tallies", "policy_violations"] as const) {
          await tx.deleteFrom(table).where("cluster", "=", run.cluster).where("policy", "not in", names).execute();
        }
        await tx
          .insertInto("policy_runs")
          .values({ cluster: run.cluster, judged_at: run.judgedAt, body })
          .onConflict((conflict) => conflict.column("cluster").doUpdateSet({ judged_at: run.judgedAt, body }))
          .execute();
      });
    },
    async runs() {
      const rows = await read.selectFrom("policy_runs").select("body").orderBy("cluster").execute();
      return rows.map(({ body }) => JSON.parse(body) as PolicyRun);
    },
    async tallies() {
      const tallies = new Map<string, RunningTally>();
      for (const { policy, body } of await read.selectFrom("policy_tallies").select(["policy", "body"]).execute()) {
        tallies.set(policy, sum(tallies.get(policy), JSON.parse(body) as RunningTally));
      }
      return tallies;
    },
    async violations({ policy, cluster, namespace, verdict, q }, { cursor, limit }) {
      let query = read.selectFrom("policy_violations").select([...order, "verdict", "since", "body"]);
      for (const column of order) query = query.orderBy(column);
      if (policy !== undefined) query = query.where("policy", "=", policy);
      if (cluster !== undefined) query = query.where("cluster", "=", cluster);
      if (namespace !== undefined) query = query.where("namespace", "=", namespace);
      if (verdict !== undefined) query = query.where("verdict", "=", verdict);
      if (q !== undefined && q !== "") query = query.where(contains("search", q));
      if (cursor !== undefined) {
        const key = decodeCursor("violations", cursor, ["string", "string", "string", "string", "string"]);
        query = query.where(rowAfter(order, ">", key));
      }
      return pageOf(
        await query.limit(limit + 1).execute(),
        limit,
        ({ body, ...row }): PolicyViolation => ({
          ...(JSON.parse(body) as Pick<PolicyViolation, "message" | "objects">),
          ...{ ...row, verdict: row.verdict as RunningVerdict },
        }),
        (row) =>
          encodeCursor(
            "violations",
            order.map((column) => row[column]),
          ),
      );
    },
    async forget(cluster) {
      await write.transaction().execute(async (tx) => {
        for (const table of ["policy_runs", "policy_tallies", "policy_violations"] as const) {
          await tx.deleteFrom(table).where("cluster", "=", cluster).execute();
        }
      });
    },
  };
}

function batchesOf(results: readonly PolicyResult[]): PolicyResult[][] {
  const batches: PolicyResult[][] = [];
  let rows = Infinity;
  for (const result of results) {
    if (rows > rowsAtOnce) {
      batches.push([]);
      rows = 0;
    }
    batches.at(-1)?.push(result);
    rows += result.violations.length + 1;
  }
  return batches;
}

async function putResults(
  engine: Engine,
  tx: Tx,
  { cluster, judgedAt }: PolicyRun,
  results: readonly PolicyResult[],
): Promise<void> {
  const tallies = results.map(({ policy, violations: _, ...tally }) => [cluster, policy, JSON.stringify(tally)]);
  await engine.insertMany(tx, "policy_tallies", tallyColumns, tallies, tallyReplaces);
  const rows = results.flatMap(({ policy, violations }) =>
    violations.map(({ namespace, name, kind, verdict, message, objects }): Value[] => {
      const search = withoutNul([policy, kind, namespace, name, message].join(" ").toLowerCase()).slice(0, 4096);
      const body = withoutNul(JSON.stringify({ message, objects }));
      return [cluster, policy, namespace, name, kind, verdict, judgedAt, judgedAt, search, body];
    }),
  );
  await engine.insertMany(tx, "policy_violations", columns, rows, replaces);
  await tx
    .deleteFrom("policy_violations")
    .where("cluster", "=", cluster)
    .where("policy", "in", engine.list(results.map(({ policy }) => policy)))
    .where("judged_at", "<", judgedAt)
    .execute();
}

function sum(a: RunningTally | undefined, b: RunningTally): RunningTally {
  if (!a) return b;
  return {
    ...{ judged: a.judged + b.judged, denied: a.denied + b.denied, noted: a.noted + b.noted },
    ...{ unknown: a.unknown + b.unknown, dropped: a.dropped + b.dropped },
  };
}
