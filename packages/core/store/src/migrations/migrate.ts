import { sql } from "kysely";
import type { Engine } from "../engine.ts";
import { StoreError } from "../error.ts";
import type { Tx } from "../schema.ts";
import { first } from "./0001-first.ts";
import { pastOneMachine } from "./0002-past-one-machine.ts";
import { kubernetes } from "./0003-kubernetes.ts";
import { nodeIds } from "./0004-node-ids.ts";
import { wholeScans } from "./0005-whole-scans.ts";
import { admission } from "./0006-admission.ts";
import { actions } from "./0007-actions.ts";
import { benchmarks } from "./0008-benchmarks.ts";
import { runningPolicies } from "./0009-running-policies.ts";
import { network } from "./0010-network.ts";
import { failingChecks } from "./0011-failing-checks.ts";
import { manifests } from "./0012-manifests.ts";
import { repeats } from "./0013-repeats.ts";
import { ruleTexts } from "./0014-rule-texts.ts";

/**
 * Every change of the tables, oldest first; forward only. A new one is a file and a line at the end; one that has been
 * released is never edited, because databases out there have run it.
 */
const migrations: ((tx: Tx, kind: Engine["kind"]) => Promise<void>)[] = [
  first,
  pastOneMachine,
  kubernetes,
  nodeIds,
  wholeScans,
  admission,
  actions,
  benchmarks,
  runningPolicies,
  network,
  failingChecks,
  manifests,
  repeats,
  ruleTexts,
];

/** Brings the tables to what this code expects, one process at a time. Raises `StoreError` `newer`. */
export async function migrate(engine: Engine): Promise<void> {
  await engine.write.transaction().execute(async (tx) => {
    await engine.lock(tx, "migrate");
    await sql`create table if not exists migrations (number integer primary key, applied_at bigint not null)`.execute(
      tx,
    );
    const { rows } = await sql<{ last: number | null }>`select max(number) as last from migrations`.execute(tx);
    const last = rows[0]?.last ?? 0;
    if (last > migrations.length) {
      throw new StoreError(
        "newer",
        `the database is of a newer Bulwark (migration ${last}, here ${migrations.length})`,
        {
          remedy: "start that version, or name another database",
        },
      );
    }
    for (const [index, apply] of migrations.entries()) {
      if (index < last) continue;
      await apply(tx, engine.kind);
      await sql`insert into migrations values (${index + 1}, ${Date.now()})`.execute(tx);
    }
  });
}
