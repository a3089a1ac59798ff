import type { AdmissionDecision, AdmissionOutcome } from "@bulwark/model";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine, Value } from "../engine.ts";
import type { AdmissionRepository } from "../store.ts";
import { withoutNul } from "../text.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

const columns: Columns = {
  id: "text",
  time: "bigint",
  cluster: "text",
  policy: "text",
  outcome: "text",
  namespace: "text",
  search: "text",
  body: "text",
};

export function admissionRepository(engine: Engine): AdmissionRepository {
  const { read, write } = engine;
  return {
    async append(decisions) {
      if (decisions.length === 0) return;
      await write.transaction().execute(async (tx) => {
        await engine.insertMany(tx, "admission_decisions", columns, decisions.map(rowOf));
      });
    },
    async list({ policy, outcome, cluster, namespace, q, since, until }, { cursor, limit }) {
      let query = read
        .selectFrom("admission_decisions")
        .select(["time", "id", "body"])
        .orderBy("time", "desc")
        .orderBy("id", "desc");
      if (policy !== undefined) query = query.where("policy", "=", policy);
      if (outcome !== undefined) query = query.where("outcome", "=", outcome);
      if (cluster !== undefined) query = query.where("cluster", "=", cluster);
      if (namespace !== undefined) query = query.where("namespace", "=", namespace);
      if (since !== undefined) query = query.where("time", ">=", since);
      if (until !== undefined) query = query.where("time", "<=", until);
      if (q !== undefined && q !== "") query = query.where(contains("search", q));
      if (cursor !== undefined) {
        query = query.where(rowAfter(["time", "id"], "<", decodeCursor("admission", cursor, ["number", "string"])));
      }
      return pageOf(
        await query.limit(limit + 1).execute(),
        limit,
        ({ body }) => JSON.parse(body) as AdmissionDecision,
        ({ time, id }) => encodeCursor("admission", [time, id]),
      );
    },
    async count(since) {
      const rows = await read
        .selectFrom("admission_decisions")
        .select(({ fn }) => ["policy", "outcome", fn.countAll<number>().as("count")])
        .where("time", ">=", since)
        .where("outcome", "!=", "allowed")
        .groupBy(["policy", "outcome"])
        .execute();
      return rows.map(({ policy, outcome, count }) => ({
        policy,
        outcome: outcome as AdmissionOutcome,
        count,
      }));
    },
  };
}

function rowOf(decision: AdmissionDecision): Value[] {
  const { id, time, cluster, policy, outcome, namespace, name, kind, user, reason } = decision;
  const search = withoutNul([policy, kind, namespace, name, user, reason].join(" ").toLowerCase()).slice(0, 4096);
  return [id, time, cluster, policy, outcome, namespace, search, withoutNul(JSON.stringify(decision))];
}
