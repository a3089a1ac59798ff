import { createHash } from "node:crypto";
import { severityRank, type Finding, type FindingState, type Vulnerability } from "@bulwark/model";
import type { SelectQueryBuilder } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine, Value } from "../engine.ts";
import type { Schema, Tx } from "../schema.ts";
import type { FindingRepository } from "../store.ts";
import { bySeverity } from "./alerts.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

const columns = ["fingerprint", "image_key", "urgency", "state", "first_seen", "last_seen", "body"] as const;
type Row = Pick<Schema["findings"], (typeof columns)[number]>;
/** Below the 32,766 parameters of a SQLite statement. */
const fingerprintsAtOnce = 10_000;

export function findingRepository({ read, write, insertMany }: Engine): FindingRepository {
  async function toFindings(rows: Row[]): Promise<Finding[]> {
    const keys = [...new Set(rows.map((row) => row.image_key))];
    if (keys.length === 0) return [];
    const images = await read.selectFrom("images").select(["key", "name"]).where("key", "in", keys).execute();
    const containers = await read
      .selectFrom("containers")
      .select(({ fn }) => ["image_key", fn.countAll<number>().as("count")])
      .where("image_key", "in", keys)
      .where("running", "=", 1)
      .groupBy("image_key")
      .execute();
    const names = new Map(images.map((image) => [image.key, image.name]));
    const running = new Map(containers.map((row) => [row.image_key, row.count]));
    return rows.map((row) => toFinding(row, names.get(row.image_key), running.get(row.image_key)));
  }

  async function get(fingerprint: string): Promise<Finding | undefined> {
    const rows = await read.selectFrom("findings").select(columns).where("fingerprint", "=", fingerprint).execute();
    return (await toFindings(rows))[0];
  }

  return {
    get,
    async list({ severity, state, image, fixable, exploited, running, q }, { cursor, limit }) {
      let query = read
        .selectFrom("findings")
        .select(columns)
        .limit(limit + 1);
      if (severity) query = query.where("severity", "in", severity.map(severityRank));
      if (state) query = query.where("state", "=", state);
      if (image !== undefined) query = query.where("image_key", "=", image);
      if (fixable !== undefined) query = query.where("fixable", "=", fixable ? 1 : 0);
      if (exploited !== undefined) query = query.where("exploited", "=", exploited ? 1 : 0);
      if (running !== undefined) query = whereRunning(query, running);
      if (q) query = query.where(contains("search", q));
      query = query.orderBy("urgency").orderBy("fingerprint");
      if (cursor) {
        const key = decodeCursor("findings", cursor, ["number", "string"]);
        query = query.where(rowAfter(["urgency", "fingerprint"], ">", key));
      }
      const page = pageOf(
        await query.execute(),
        limit,
        (row) => row,
        (row) => encodeCursor("findings", [row.urgency, row.fingerprint]),
      );
      return { items: await toFindings(page.items), next: page.next };
    },
    async setState(fingerprint, state) {
      await write.updateTable("findings").set({ state }).where("fingerprint", "=", fingerprint).execute();
      return get(fingerprint);
    },
    async replace(imageKey, vulnerabilities, now) {
      return write.transaction().execute(async (tx) => {
        const known = await tx
          .selectFrom("findings")
          .select(["fingerprint", "state"])
          .where("image_key", "=", imageKey)
          .execute();
        const states = new Map(known.map((row) => [row.fingerprint, row.state]));
        const current = new Map(vulnerabilities.map((item) => [fingerprintOf(imageKey, item), item]));

        const gone = known.filter((row) => row.state !== "fixed" && !current.has(row.fingerprint));
        await update(
          tx,
          gone.map((row) => row.fingerprint),
          { state: "fixed", last_seen: now },
        );

        // What was known is written again, because the advisory may say more today; its first day and state stay.
        const rows = [...current].map(([fingerprint, item]) => toRow(imageKey, fingerprint, item, now));
        const keep = new Map<string, number>();
        const old = [...current.keys()].filter((fingerprint) => states.has(fingerprint));
        for (const part of parts(old)) {
          const firsts = await tx
            .selectFrom("findings")
            .select(["fingerprint", "first_seen"])
            .where("fingerprint", "in", part)
            .execute();
          for (const row of firsts) keep.set(row.fingerprint, row.first_seen);
          await tx.deleteFrom("findings").where("fingerprint", "in", part).execute();
        }
        for (const row of rows) {
          const fingerprint = String(row[0]);
          if (states.get(fingerprint) === "deferred") row[stateColumn] = "deferred";
          row[firstSeenColumn] = keep.get(fingerprint) ?? now;
        }
        await insertMany(tx, "findings", rowColumns, rows);

        const opened = [...current.keys()].filter((key) => !states.has(key) || states.get(key) === "fixed").length;
        return { opened, fixed: gone.length };
      });
    },
    async countOpen() {
      const rows = await read
        .selectFrom("findings")
        .select(({ fn }) => [
          "severity",
          fn.countAll<number>().as("count"),
          fn.sum<number | string>("exploited").as("exploited"),
        ])
        .where("state", "=", "open")
        .groupBy("severity")
        .execute();
      const exploited = rows.reduce((sum, row) => sum + Number(row.exploited), 0);
      return { bySeverity: bySeverity(rows), exploited };
    },
  };
}

const rowColumns = [
  "fingerprint",
  "image_key",
  "severity",
  "urgency",
  "exploited",
  "fixable",
  "state",
  "first_seen",
  "last_seen",
  "search",
  "body",
] as const;
const stateColumn = rowColumns.indexOf("state");
const firstSeenColumn = rowColumns.indexOf("first_seen");

function toRow(imageKey: string, fingerprint: string, item: Vulnerability, now: number): Value[] {
  return [
    fingerprint,
    imageKey,
    severityRank(item.severity),
    urgency(item),
    item.exploited ? 1 : 0,
    item.fixedVersion === null ? 0 : 1,
    "open",
    now,
    now,
    [item.id, ...item.aliases, item.package, item.source].join(" ").toLowerCase(),
    JSON.stringify(item),
  ];
}

function urgency({ exploited, severity, cvss }: Vulnerability): number {
  return (exploited ? 0 : 100_000) + severityRank(severity) * 1000 + 100 - Math.round((cvss?.score ?? 0) * 10);
}

/** The same weakness of the same package in the same image is the same finding tomorrow, whatever its version. */
function fingerprintOf(imageKey: string, { id, package: name, source }: Vulnerability): string {
  const text = JSON.stringify(["vulnerability", imageKey, id, name, source]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

async function update(tx: Tx, fingerprints: string[], change: { state: string; last_seen: number }): Promise<void> {
  for (const part of parts(fingerprints)) {
    await tx.updateTable("findings").set(change).where("fingerprint", "in", part).execute();
  }
}

function* parts(fingerprints: string[]): Generator<string[]> {
  for (let at = 0; at < fingerprints.length; at += fingerprintsAtOnce) {
    yield fingerprints.slice(at, at + fingerprintsAtOnce);
  }
}

function whereRunning<O>(
  query: SelectQueryBuilder<Schema, "findings", O>,
  running: boolean,
): SelectQueryBuilder<Schema, "findings", O> {
  return query.where(({ exists, not, selectFrom }) => {
    const container = exists(
      selectFrom("containers")
        .select("id")
        .whereRef("containers.image_key", "=", "findings.image_key")
        .where("running", "=", 1),
    );
    return running ? container : not(container);
  });
}

function toFinding(row: Row, name: string | undefined, running: number | undefined): Finding {
  const vulnerability = JSON.parse(row.body) as Vulnerability;
  return {
    fingerprint: row.fingerprint,
    kind: "vulnerability",
    asset: { kind: "image", key: row.image_key, name: name ?? row.image_key },
    severity: vulnerability.severity,
    title: `${vulnerability.id} in ${vulnerability.package}`,
    state: row.state as FindingState,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    vulnerability,
    runningContainers: running ?? 0,
  };
}
