import { createHash } from "node:crypto";
import { severityRank, type Finding, type FindingState, type Vulnerability } from "@bulwark/model";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine, Value } from "../engine.ts";
import type { Schema } from "../schema.ts";
import type { FindingRepository } from "../store.ts";
import { bySeverity } from "./alerts.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

const columns = ["fingerprint", "image_key", "urgency", "state", "first_seen", "last_seen"] as const;
type Row = Pick<Schema["findings"], (typeof columns)[number]>;

/** More are one parameter: a statement takes a bounded number of them. */
const keysShown = 1000;

export function findingRepository(engine: Engine): FindingRepository {
  const { read, write } = engine;

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
    const fingerprints = rows.map((row) => row.fingerprint);
    const details = await read
      .selectFrom("finding_details")
      .selectAll()
      .where("fingerprint", "in", fingerprints)
      .execute();
    const bodies = new Map(details.map((row) => [row.fingerprint, row.body]));
    const names = new Map(images.map((image) => [image.key, image.name]));
    const running = new Map(containers.map((row) => [row.image_key, row.count]));
    // Retention may take a finding between the two questions.
    return rows.flatMap((row) => {
      const body = bodies.get(row.fingerprint);
      return body === undefined ? [] : [toFinding(row, body, names.get(row.image_key), running.get(row.image_key))];
    });
  }

  /** Asked for apart: with the keys before them, both engines see which index is the better one. */
  async function runningImages(): Promise<string[]> {
    const containers = read.selectFrom("containers").select("image_key").where("running", "=", 1);
    const rows = await read.selectFrom("images").select("key").where("key", "in", containers).execute();
    return rows.map(({ key }) => key);
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
      if (running !== undefined) {
        const keys = await runningImages();
        if (running && keys.length === 0) return { items: [], next: null };
        if (running) query = query.where("image_key", "in", keys.length > keysShown ? engine.list(keys) : keys);
        else query = query.where("image_key", "not in", engine.list(keys));
      }
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
        await engine.lock(tx, "findings", imageKey);
        const current = new Map(vulnerabilities.map((item) => [fingerprintOf(imageKey, item), item]));
        const listed = engine.list([...current.keys()]);
        const { count } = await tx
          .selectFrom("findings")
          .select(({ fn }) => fn.countAll<number>().as("count"))
          .where("image_key", "=", imageKey)
          .where("state", "<>", "fixed")
          .where("fingerprint", "in", listed)
          .executeTakeFirstOrThrow();
        const { numUpdatedRows: fixed } = await tx
          .updateTable("findings")
          .set({ state: "fixed" })
          .where("image_key", "=", imageKey)
          .where("state", "<>", "fixed")
          .where("fingerprint", "not in", listed)
          .executeTakeFirst();
        const items = [...current];
        const rows = items.map(([fingerprint, item]) => toRow(imageKey, fingerprint, item, now));
        await engine.insertMany(tx, "findings", rowColumns, rows, seenAgain);
        const bodies = items.map(([fingerprint, item]) => [fingerprint, JSON.stringify(item)]);
        await engine.insertMany(tx, "finding_details", detailColumns, bodies, toldAnew);
        return { opened: current.size - count, fixed: Number(fixed) };
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

const rowColumns: Columns = {
  fingerprint: "text",
  image_key: "text",
  severity: "bigint",
  urgency: "bigint",
  exploited: "bigint",
  fixable: "bigint",
  state: "text",
  first_seen: "bigint",
  last_seen: "bigint",
  search: "text",
};
/** The advisory may say more today; the first day stays, and so does the state, unless the weakness has come back. */
const seenAgain = `on conflict (fingerprint) do update set severity = excluded.severity, urgency = excluded.urgency,
  exploited = excluded.exploited, fixable = excluded.fixable, last_seen = excluded.last_seen, search = excluded.search,
  state = case findings.state when 'fixed' then 'open' else findings.state end`;
const detailColumns: Columns = { fingerprint: "text", body: "text" };
const toldAnew = `on conflict (fingerprint) do update set body = excluded.body
  where finding_details.body <> excluded.body`;

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
    [...new Set([item.id, ...item.aliases, item.package, item.source])].join(" ").toLowerCase(),
  ];
}

function urgency({ exploited, severity, cvss }: Vulnerability): number {
  return (exploited ? 0 : 100_000) + severityRank(severity) * 1000 + 100 - Math.round((cvss?.score ?? 0) * 10);
}

/**
 * The same weakness of the same package in the same image is the same finding tomorrow. The package URL tells two
 * architectures, or two copies in different versions, apart.
 */
function fingerprintOf(imageKey: string, { id, purl, package: name, version }: Vulnerability): string {
  const text = ["vulnerability", imageKey, id, purl === "" ? `${name}@${version}` : purl].join("|");
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function toFinding(row: Row, body: string, name: string | undefined, running: number | undefined): Finding {
  const vulnerability = JSON.parse(body) as Vulnerability;
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
