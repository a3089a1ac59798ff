import { createHash } from "node:crypto";
import {
  severities,
  severityRank,
  type Finding,
  type FindingGroup,
  type FindingKind,
  type FindingState,
  type Severity,
  type Vulnerability,
  type Weakness,
} from "@bulwark/model";
import { sql, type Kysely, type RawBuilder, type SqlBool } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine, Value } from "../engine.ts";
import type { Schema } from "../schema.ts";
import type { FindingFilter, FindingRepository } from "../store.ts";
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

  /** The conditions of a filter; undefined where nothing can fit. */
  async function conditionsOf(filter: FindingFilter): Promise<RawBuilder<SqlBool>[] | undefined> {
    const { severity, state, kind, subject, package: name, image, fixable, exploited, running, q } = filter;
    const found: RawBuilder<SqlBool>[] = [];
    if (severity) found.push(sql`severity in (${sql.join(severity.map(severityRank))})`);
    if (state) found.push(sql`state = ${state}`);
    if (kind) found.push(sql`kind = ${kind}`);
    if (subject !== undefined) found.push(sql`subject = ${subject}`);
    if (name !== undefined) found.push(sql`package = ${name} and package <> ''`);
    if (image !== undefined) found.push(sql`image_key = ${image}`);
    if (fixable !== undefined) found.push(sql`fixable = ${fixable ? 1 : 0}`);
    if (exploited !== undefined) found.push(sql`exploited = ${exploited ? 1 : 0}`);
    if (running !== undefined) {
      const keys = await runningImages();
      if (running && keys.length === 0) return undefined;
      if (!running) found.push(sql`image_key not in ${engine.list(keys)}`);
      else if (keys.length > keysShown) found.push(sql`image_key in ${engine.list(keys)}`);
      else found.push(sql`image_key in (${sql.join(keys)})`);
    }
    if (q) found.push(contains("search", q));
    return found;
  }

  return {
    get,
    async list(filter, { cursor, limit }) {
      const conditions = await conditionsOf(filter);
      if (!conditions) return { items: [], next: null };
      let query = read
        .selectFrom("findings")
        .select(columns)
        .limit(limit + 1);
      for (const condition of conditions) query = query.where(condition);
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
    async groups(by, filter, { cursor, limit }) {
      const conditions = await conditionsOf(filter);
      if (!conditions) return { items: [], next: null };
      const name = sql.ref<string>(by === "package" ? "package" : "subject");
      if (by === "package") conditions.push(sql`package <> ''`);
      const where = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
      const key = cursor ? decodeCursor("finding-groups", cursor, ["number", "string", "string"]) : undefined;
      const after = key ? sql`where ${rowAfter(["urgency", "name", "kind"], ">", key)}` : sql``;
      const { rows } = await sql<GroupRow>`select * from (
          select ${name} as name, kind, min(severity) as severity, min(urgency) as urgency, max(exploited) as exploited,
            sum(fixable) as fixable, count(*) as findings, count(distinct image_key) as images,
            count(distinct running.running_key) as running_images, min(first_seen) as first_seen
          from findings left join (select distinct image_key as running_key from containers where running = 1) as running
            on running.running_key = findings.image_key
          ${where} group by ${name}, kind) as grouped
        ${after} order by urgency, name, kind limit ${sql.lit(limit + 1)}`.execute(read);
      return pageOf(rows, limit, toGroup, (row) => encodeCursor("finding-groups", [row.urgency, row.name, row.kind]));
    },
    async setState(fingerprint, state) {
      await write.updateTable("findings").set({ state }).where("fingerprint", "=", fingerprint).execute();
      return get(fingerprint);
    },
    async replace(imageKey, weaknesses, kinds, now) {
      if (kinds.length === 0) return { opened: 0, fixed: 0 };
      return write.transaction().execute(async (tx) => {
        await engine.lock(tx, "findings", imageKey);
        const wanted = weaknesses.filter(({ kind }) => kinds.includes(kind));
        const current = new Map(wanted.map((item) => [fingerprintOf(imageKey, item), item]));
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
          .where("kind", "in", kinds)
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
    async noteDay(now) {
      const today = dayOf(now);
      await write.transaction().execute(async (tx) => {
        const open = await openBySeverity(tx);
        const rows = severities.map((_, rank) => [today, rank, open.get(rank) ?? 0]);
        await engine.insertMany(tx, "finding_days", dayColumns, rows, dayAgain);
        await tx
          .deleteFrom("finding_days")
          .where("day", "<", today - daysKept * day)
          .execute();
      });
    },
    async trend(days, now) {
      const today = dayOf(now);
      const rows = await read
        .selectFrom("finding_days")
        .selectAll()
        .where("day", ">", today - days * day)
        .where("day", "<", today)
        .orderBy("day")
        .execute();
      const noted = Map.groupBy(rows, (row) => row.day);
      const past = [...noted].map(([time, counts]) => ({
        time,
        open: bySeverity(counts.map(({ severity, open }) => ({ severity, count: open }))),
      }));
      const open = [...(await openBySeverity(read))].map(([severity, count]) => ({ severity, count }));
      return [...past, { time: today, open: bySeverity(open) }];
    },
  };
}

const day = 86_400_000;
const daysKept = 400;
const dayColumns: Columns = { day: "bigint", severity: "bigint", open: "bigint" };
const dayAgain = "on conflict (day, severity) do update set open = excluded.open";

function dayOf(time: number): number {
  return Math.floor(time / day) * day;
}

async function openBySeverity(database: Kysely<Schema>): Promise<Map<number, number>> {
  const rows = await database
    .selectFrom("findings")
    .select(({ fn }) => ["severity", fn.countAll<number>().as("count")])
    .where("state", "=", "open")
    .groupBy("severity")
    .execute();
  return new Map(rows.map(({ severity, count }) => [severity, count]));
}

/** Sums of PostgreSQL come as text. */
interface GroupRow {
  name: string;
  kind: FindingKind;
  severity: number;
  urgency: number;
  exploited: number;
  fixable: number | string;
  findings: number;
  images: number;
  running_images: number;
  first_seen: number;
}

function toGroup(row: GroupRow): FindingGroup {
  return {
    name: row.name,
    kind: row.kind,
    severity: severities[row.severity] ?? "unknown",
    exploited: row.exploited === 1,
    fixable: Number(row.fixable),
    findings: row.findings,
    images: row.images,
    runningImages: row.running_images,
    firstSeen: row.first_seen,
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
  kind: "text",
  subject: "text",
  package: "text",
};
/** The advisory may say more today; the first day stays, and so does the state, unless the weakness has come back. */
const seenAgain = `on conflict (fingerprint) do update set severity = excluded.severity, urgency = excluded.urgency,
  exploited = excluded.exploited, fixable = excluded.fixable, last_seen = excluded.last_seen, search = excluded.search,
  subject = excluded.subject, package = excluded.package,
  state = case findings.state when 'fixed' then 'open' else findings.state end`;
const detailColumns: Columns = { fingerprint: "text", body: "text" };
const toldAnew = `on conflict (fingerprint) do update set body = excluded.body
  where finding_details.body <> excluded.body`;

function toRow(imageKey: string, fingerprint: string, item: Weakness, now: number): Value[] {
  const { severity, subject, package: name, fixable, exploited, search } = aboutOf(item);
  return [
    fingerprint,
    imageKey,
    severityRank(severity),
    urgency(item, severity),
    exploited ? 1 : 0,
    fixable ? 1 : 0,
    "open",
    now,
    now,
    [...new Set(search)].join(" ").toLowerCase(),
    item.kind,
    subject,
    name,
  ];
}

interface About {
  severity: Severity;
  title: string;
  /** The same for the same weakness in any image. */
  subject: string;
  package: string;
  fixable: boolean;
  exploited: boolean;
  search: string[];
  /** Tells it apart from others of the same subject in one image. */
  self: string;
}

function aboutOf(item: Weakness): About {
  const none = { package: "", fixable: false, exploited: false };
  switch (item.kind) {
    case "vulnerability": {
      const { id, aliases, package: name, source, severity, fixedVersion, exploited } = item.vulnerability;
      return {
        ...{ severity, subject: id, package: name, fixable: fixedVersion !== null, exploited },
        title: `${id} in ${name}`,
        search: [id, ...aliases, name, source],
        self: versionOf(item.vulnerability),
      };
    }
    case "secret": {
      const { kind, title, severity, fingerprint } = item.secret;
      const search = [kind, title, ...item.locations];
      return { ...none, severity, subject: kind, title: titleOf(title, item), search, self: fingerprint };
    }
    case "malware": {
      const { rule, title, severity, sha256 } = item.malware;
      const search = [rule, title, sha256, ...item.locations];
      return { ...none, severity, subject: rule, title: titleOf(title, item), search, self: sha256 };
    }
    case "misconfiguration": {
      const { check, title, severity } = item.misconfiguration;
      return { ...none, severity, subject: check, title, search: [check, title], self: "" };
    }
  }
}

function titleOf(title: string, { locations: [first] }: Weakness): string {
  return (first === undefined ? title : `${title}: ${first}`).slice(0, 512);
}

/** The package URL tells two architectures, or two copies in different versions, apart. */
function versionOf({ purl, package: name, version }: Vulnerability): string {
  return purl === "" ? `${name}@${version}` : purl;
}

function urgency(item: Weakness, severity: Severity): number {
  const { exploited, cvss } = item.kind === "vulnerability" ? item.vulnerability : { exploited: false, cvss: null };
  return (exploited ? 0 : 100_000) + severityRank(severity) * 1000 + 100 - Math.round((cvss?.score ?? 0) * 10);
}

/** The same weakness in the same image is the same finding tomorrow. */
function fingerprintOf(imageKey: string, item: Weakness): string {
  const { subject, self } = aboutOf(item);
  return createHash("sha256").update([item.kind, imageKey, subject, self].join("|")).digest("hex").slice(0, 32);
}

function toFinding(row: Row, body: string, name: string | undefined, running: number | undefined): Finding {
  const weakness = JSON.parse(body) as Weakness;
  const { severity, title } = aboutOf(weakness);
  return {
    ...weakness,
    fingerprint: row.fingerprint,
    asset: { kind: "image", key: row.image_key, name: name ?? row.image_key },
    severity,
    title,
    state: row.state as FindingState,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    runningContainers: running ?? 0,
  };
}
