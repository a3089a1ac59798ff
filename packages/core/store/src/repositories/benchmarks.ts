import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { BenchmarkException, BenchmarkReport, BenchmarkSubject, CheckState } from "@bulwark/model";
import { sql } from "kysely";
import type { Columns, Engine } from "../engine.ts";
import type { Schema, Tx } from "../schema.ts";
import type { BenchmarkRepository } from "../store.ts";

const pack = promisify(gzip);
const unpack = promisify(gunzip);
const day = 86_400_000;
/** The worst of several things that a check says: one that fails is a failure. */
const worst: readonly CheckState[] = ["fail", "unknown", "pass", "not-applicable"];
/** People write them by hand. */
const exceptionLimit = 10_000;

export function benchmarkRepository(engine: Engine): BenchmarkRepository {
  const { read, write } = engine;
  return {
    async put(report, now) {
      const packed = await packBenchmark(report);
      await write.transaction().execute(async (tx) => putBenchmarks(engine, tx, [packed], now));
    },
    async subjects() {
      const reports = await read
        .selectFrom("benchmark_reports")
        .select(["kind", "name", "collected_at"])
        .orderBy("kind")
        .orderBy("name")
        .execute();
      return reports.map(({ kind, name, collected_at }) => ({
        subject: subjectOf(kind, name),
        collectedAt: collected_at,
      }));
    },
    async states(filter = {}) {
      let query = read.selectFrom("benchmark_states").select(["kind", "name", "check_id", "state", "since"]);
      if (filter.check !== undefined) query = query.where("check_id", "=", filter.check);
      if (filter.state !== undefined) query = query.where("state", "=", filter.state);
      const { subject } = filter;
      if (subject) query = query.where("kind", "=", subject.kind).where("name", "=", subject.name);
      const rows = await query.orderBy("kind").orderBy("name").orderBy("check_id").execute();
      return rows.map(({ kind, name, check_id, state, since }) => ({
        ...{ subject: subjectOf(kind, name), check: check_id },
        ...{ state: state as CheckState, since },
      }));
    },
    async failing(most, now) {
      const { rows } = await sql<{ count: number | string }>`select count(*) as count from (
          select 1 from benchmark_states as it where it.state = 'fail' and not exists (
            select 1 from benchmark_exceptions as excepted where excepted.check_id = it.check_id
              and excepted.expires_at > ${now}
              and (excepted.kind is null or (excepted.kind = it.kind and excepted.name = it.name)))
          limit ${sql.lit(most)}) as failing`.execute(read);
      return Number(rows[0]?.count ?? 0);
    },
    async report({ kind, name }) {
      const row = await read
        .selectFrom("benchmark_reports")
        .select("report")
        .where("kind", "=", kind)
        .where("name", "=", name)
        .executeTakeFirst();
      if (!row) return undefined;
      return JSON.parse((await unpack(row.report)).toString()) as BenchmarkReport;
    },
    async days(count, now) {
      const rows = await read
        .selectFrom("benchmark_days")
        .select(({ fn }) => [
          "day",
          fn.sum<number | string>("passed").as("passed"),
          fn.sum<number | string>("failed").as("failed"),
          fn.sum<number | string>("unknown").as("unknown"),
        ])
        .where("day", ">", Math.floor(now / day) - count)
        .groupBy("day")
        .orderBy("day")
        .execute();
      return rows.map((row) => ({
        time: row.day * day,
        passed: Number(row.passed),
        failed: Number(row.failed),
        unknown: Number(row.unknown),
      }));
    },
    async exceptions(now) {
      const rows = await read
        .selectFrom("benchmark_exceptions")
        .selectAll()
        .where("expires_at", ">", now)
        .orderBy("created_at", "desc")
        .limit(exceptionLimit)
        .execute();
      return rows.map(toException);
    },
    async addException(exception) {
      const { id, check, subject, reason, owner, createdAt, expiresAt } = exception;
      const place = { kind: subject?.kind ?? null, name: subject?.name ?? null };
      await write
        .insertInto("benchmark_exceptions")
        .values({ id, check_id: check, ...place, reason, owner, created_at: createdAt, expires_at: expiresAt })
        .execute();
    },
    async deleteException(id) {
      const { numDeletedRows } = await write.deleteFrom("benchmark_exceptions").where("id", "=", id).executeTakeFirst();
      return numDeletedRows > 0n;
    },
    async forget({ kind, name }) {
      await write.transaction().execute(async (tx) => {
        for (const table of ["benchmark_reports", "benchmark_states", "benchmark_days"] as const) {
          await tx.deleteFrom(table).where("kind", "=", kind).where("name", "=", name).execute();
        }
      });
    },
  };
}

/** A report as it goes into the tables. Made before the transaction, which others wait for. */
export interface PackedBenchmark {
  report: BenchmarkReport;
  body: Uint8Array;
}

export async function packBenchmark(report: BenchmarkReport): Promise<PackedBenchmark> {
  return { report, body: await pack(JSON.stringify(report)) };
}

const reportColumns: Columns = { kind: "text", name: "text", collected_at: "bigint", report: "blob" };
const reportReplaces = `on conflict (kind, name) do update set collected_at = excluded.collected_at,
  report = excluded.report`;
const stateColumns: Columns = { kind: "text", name: "text", check_id: "text", state: "text", since: "bigint" };
/** `since` stays while the state does. */
const stateReplaces = `on conflict (kind, name, check_id) do update set state = excluded.state,
  since = case benchmark_states.state when excluded.state then benchmark_states.since else excluded.since end`;
const dayColumns: Columns = {
  ...{ kind: "text", name: "text", day: "bigint" },
  ...{ passed: "bigint", failed: "bigint", unknown: "bigint" },
};
const dayReplaces = `on conflict (kind, name, day) do update set passed = excluded.passed, failed = excluded.failed,
  unknown = excluded.unknown`;

/** The last report of each host or cluster is the one that counts; checks that it does not have are gone. */
export async function putBenchmarks(
  engine: Engine,
  tx: Tx,
  packed: readonly PackedBenchmark[],
  now: number,
): Promise<void> {
  for (const { report, body } of packed) {
    const { kind, name } = report.subject;
    await engine.lock(tx, "benchmark", `${kind}/${name}`);
    await engine.insertMany(
      tx,
      "benchmark_reports",
      reportColumns,
      [[kind, name, report.collectedAt, body]],
      reportReplaces,
    );
    const states = [...Map.groupBy(report.results, ({ check }) => check)].map(
      ([check, results]) =>
        [check, worst.find((state) => results.some((one) => one.state === state)) ?? "unknown"] as const,
    );
    const checks = engine.list(states.map(([check]) => check));
    await tx
      .deleteFrom("benchmark_states")
      .where("kind", "=", kind)
      .where("name", "=", name)
      .where("check_id", "not in", checks)
      .execute();
    const rows = states.map(([check, state]) => [kind, name, check, state, now]);
    await engine.insertMany(tx, "benchmark_states", stateColumns, rows, stateReplaces);
    const count = (wanted: CheckState): number => states.filter(([, state]) => state === wanted).length;
    const today = [kind, name, Math.floor(now / day), count("pass"), count("fail"), count("unknown")];
    await engine.insertMany(tx, "benchmark_days", dayColumns, [today], dayReplaces);
  }
}

function subjectOf(kind: string, name: string): BenchmarkSubject {
  return { kind: kind === "cluster" ? "cluster" : "host", name };
}

function toException(row: Schema["benchmark_exceptions"]): BenchmarkException {
  const { id, check_id, kind, name, reason, owner, created_at, expires_at } = row;
  const subject = kind === null || name === null ? null : subjectOf(kind, name);
  return { id, check: check_id, subject, reason, owner, createdAt: created_at, expiresAt: expires_at };
}
