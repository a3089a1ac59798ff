import { randomUUID } from "node:crypto";
import {
  clausesOf,
  exportRows,
  exportText,
  summarize,
  type Catalogue,
  type CheckInfo,
  type ExportFormat,
  type SetInfo,
} from "@bulwark/benchmark";
import type { BenchmarkSetRow, BenchmarkSubjectRow, StateCounts } from "@bulwark/contract";
import type { BenchmarkException, BenchmarkSubject, CheckState } from "@bulwark/model";
import type { BenchmarkState } from "@bulwark/store";
import { actorOf } from "../auth/caller.ts";
import { catalogue } from "../benchmarks/catalogue.ts";
import type { Context } from "../context.ts";
import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";
import { audited } from "./audited.ts";
import { found } from "./found.ts";

const day = 86_400_000;
/** Reports in one file: each has some hundred results, and all of them are in memory. */
const exportLimit = 500;

export const benchmarkHandlers: HandlersOf<"benchmarks"> = {
  async listBenchmarks({ query, now }, { store }) {
    const { states, exceptions, subjects } = await lookAt(store, now);
    const known = await catalogue();
    const days = await store.benchmarks.days(query.days, now);
    return {
      sets: known.sets.map((set) => setRow(known, set, states, exceptions)),
      subjects: subjects.map((row) => subjectRow(row, states, exceptions)),
      days,
      exceptions,
    };
  },

  async listBenchmarkChecks({ params, now }, { store }) {
    const known = await catalogue();
    const set = setOf(known, params.id);
    const { states, exceptions } = await lookAt(store, now);
    const byCheck = Map.groupBy(states, ({ check }) => check);
    const items = checksOf(known, set).map((check) => ({
      check: check.id,
      number: check.in[set.id] ?? "",
      title: check.title,
      severity: check.severity,
      level: check.level,
      answers: check.answers,
      topic: known.topics.get(check.topic)?.title ?? check.topic,
      clauses: mutable(clausesOf(known, check)),
      counts: countsOf(byCheck.get(check.id) ?? [], exceptions),
    }));
    const byNumber = (a: { number: string }, b: { number: string }): number =>
      a.number.localeCompare(b.number, "en", { numeric: true });
    return { set: setRow(known, set, states, exceptions), items: items.toSorted(byNumber) };
  },

  async exportBenchmark(call, context) {
    const known = await catalogue();
    const set = setOf(known, call.params.id);
    const { format } = call.query;
    const { store } = context;
    const subjects = (await store.benchmarks.subjects()).filter(({ subject }) => subject.kind === set.of);
    if (subjects.length > exportLimit) {
      throw new Refusal("too-many", `${subjects.length} reports are more than one file holds (${exportLimit})`, {
        remedy: "read them one by one: /api/v1/benchmark-results",
      });
    }
    const rows = [];
    for (const { subject } of subjects) {
      const report = await store.benchmarks.report(subject);
      const summary = report && summarize(known, report).find((one) => one.set.id === set.id && one.applies);
      if (summary) rows.push(...exportRows(known, summary.items, subject));
    }
    await audited(context, call, "benchmark.export", set.id, { format });
    return { name: `${set.id}.${format}`, type: types[format], text: exportText(format, set, rows) };
  },

  async getBenchmarkCheck({ params, now }, { store }) {
    const known = await catalogue();
    const { checks, sets } = known;
    const all = [...checks.host, ...checks.cluster];
    const check = found(
      all.find(({ id }) => id === params.id),
      "check",
    );
    const exceptions = (await store.benchmarks.exceptions(now)).filter((one) => one.check === check.id);
    const states = await store.benchmarks.states({ check: check.id });
    return {
      check: check.id,
      of: checks.host.includes(check) ? "host" : "cluster",
      title: check.title,
      severity: check.severity,
      level: check.level,
      answers: check.answers,
      why: check.why,
      remedy: check.remedy,
      mendable: check.fix.length > 0,
      sets: sets.flatMap(({ id, title }) => {
        const number = check.in[id];
        return number === undefined ? [] : [{ id, title, number }];
      }),
      clauses: mutable(clausesOf(known, check)),
      subjects: states.map((one) => ({
        ...{ subject: one.subject, state: one.state, since: one.since },
        excepted: one.state === "fail" && isExcepted(one, exceptions),
      })),
      exceptions,
    };
  },

  async getBenchmarkResults({ query: { kind, name, check } }, { store }) {
    const report = found(await store.benchmarks.report({ kind, name }), "report");
    const titles = new Map((await catalogue()).sets.map(({ id, title }) => [id, title]));
    return {
      collectedAt: report.collectedAt,
      sets: report.sets.map((set) => ({ ...set, title: titles.get(set.id) ?? set.id })),
      results: report.results.filter((result) => check === undefined || result.check === check),
    };
  },

  async createBenchmarkException(call, context) {
    const { body, caller, now } = call;
    const { checks } = await catalogue();
    if (![...checks.host, ...checks.cluster].some(({ id }) => id === body.check)) {
      throw new Refusal("invalid", `there is no check ${body.check}`);
    }
    const { check, subject, reason, days } = body;
    const exception: BenchmarkException = {
      ...{ id: randomUUID(), check, subject, reason, owner: actorOf(caller) },
      ...{ createdAt: now, expiresAt: now + days * day },
    };
    await context.store.benchmarks.addException(exception);
    await audited(context, call, "benchmark-exception.create", check, { subject, reason, days });
    return exception;
  },

  async deleteBenchmarkException(call, context) {
    const { id } = call.params;
    if (!(await context.store.benchmarks.deleteException(id))) found(undefined, "exception");
    await audited(context, call, "benchmark-exception.delete", id);
  },
};

const types: Readonly<Record<ExportFormat, string>> = {
  csv: "text/csv",
  html: "text/html",
  json: "application/json",
};

interface Looked {
  states: BenchmarkState[];
  exceptions: BenchmarkException[];
  subjects: { subject: BenchmarkSubject; collectedAt: number }[];
}

async function lookAt(store: Context["store"], now: number): Promise<Looked> {
  const [states, exceptions, subjects] = await Promise.all([
    store.benchmarks.states(),
    store.benchmarks.exceptions(now),
    store.benchmarks.subjects(),
  ]);
  return { states, exceptions, subjects };
}

function setOf({ sets }: Catalogue, id: string): SetInfo {
  return found(
    sets.find((set) => set.id === id),
    "benchmark",
  );
}

function checksOf({ checks }: Catalogue, set: SetInfo): CheckInfo[] {
  return checks[set.of].filter((check) => set.id in check.in);
}

function setRow(
  known: Catalogue,
  set: SetInfo,
  states: readonly BenchmarkState[],
  exceptions: readonly BenchmarkException[],
): BenchmarkSetRow {
  const checks = checksOf(known, set);
  const ids = new Set(checks.map(({ id }) => id));
  const own = states.filter(({ check }) => ids.has(check));
  const subjects = new Set(own.map(({ subject }) => subject.name)).size;
  const counts = countsOf(own, exceptions);
  const { id, title, version, of, about } = set;
  return { id, title, version, of, about, checks: checks.length, subjects, counts, passRate: rateOf(counts) };
}

function subjectRow(
  { subject, collectedAt }: { subject: BenchmarkSubject; collectedAt: number },
  states: readonly BenchmarkState[],
  exceptions: readonly BenchmarkException[],
): BenchmarkSubjectRow {
  const own = states.filter((one) => one.subject.kind === subject.kind && one.subject.name === subject.name);
  const counts = countsOf(own, exceptions);
  return { subject, collectedAt, counts, passRate: rateOf(counts) };
}

function countsOf(states: readonly BenchmarkState[], exceptions: readonly BenchmarkException[]): StateCounts {
  const counts: StateCounts = { pass: 0, fail: 0, excepted: 0, unknown: 0, notApplicable: 0 };
  for (const one of states)
    counts[one.state === "fail" && isExcepted(one, exceptions) ? "excepted" : names[one.state]]++;
  return counts;
}

const names = {
  pass: "pass",
  fail: "fail",
  unknown: "unknown",
  "not-applicable": "notApplicable",
} as const satisfies Record<CheckState, keyof StateCounts>;

function rateOf({ pass, fail }: StateCounts): number | null {
  return pass + fail === 0 ? null : pass / (pass + fail);
}

function isExcepted({ check, subject }: BenchmarkState, exceptions: readonly BenchmarkException[]): boolean {
  return exceptions.some(
    (one) =>
      one.check === check &&
      (one.subject === null || (one.subject.kind === subject.kind && one.subject.name === subject.name)),
  );
}

function mutable(clauses: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(clauses).map(([name, list]) => [name, [...list]]));
}
