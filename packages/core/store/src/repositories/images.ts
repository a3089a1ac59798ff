import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { ImageReport, ImageSummary } from "@bulwark/model";
import { sql } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine, Value } from "../engine.ts";
import type { Schema, Tx } from "../schema.ts";
import type { ImageRepository } from "../store.ts";
import { bySeverity } from "./alerts.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

const columns = ["key", "name", "digest", "os", "packages", "state", "scanned_at"] as const;
type Row = Pick<Schema["images"], (typeof columns)[number]>;
const keysAtOnce = 200;
const weight = sql<number>`sum(case severity when 0 then 1000000 when 1 then 1000 when 2 then 1 else 0 end)`;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

export function imageRepository({ read }: Engine): ImageRepository {
  /** Open findings and running containers of a page of images, in two queries. */
  async function summaries(rows: Row[]): Promise<ImageSummary[]> {
    if (rows.length === 0) return [];
    const keys = rows.map((row) => row.key);
    const findings = await read
      .selectFrom("findings")
      .select(({ fn }) => ["image_key", "severity", fn.countAll<number>().as("count")])
      .where("image_key", "in", keys)
      .where("state", "=", "open")
      .groupBy(["image_key", "severity"])
      .execute();
    const containers = await read
      .selectFrom("containers")
      .select(({ fn }) => ["image_key", fn.countAll<number>().as("count")])
      .where("image_key", "in", keys)
      .where("running", "=", 1)
      .groupBy("image_key")
      .execute();
    const running = new Map(containers.map((row) => [row.image_key, row.count]));
    return rows.map(({ scanned_at, state, ...row }) => ({
      ...row,
      state: state as ImageSummary["state"],
      scannedAt: scanned_at,
      runningContainers: running.get(row.key) ?? 0,
      findings: bySeverity(findings.filter((finding) => finding.image_key === row.key)),
    }));
  }

  return {
    async list({ q }, { cursor, limit }) {
      // Worst first: by the number of open findings of each severity, the worst severity weighing most.
      const weights = read
        .selectFrom("findings")
        .select(["image_key", weight.as("weight")])
        .where("state", "=", "open")
        .groupBy("image_key")
        .as("weights");
      const weighed = read
        .selectFrom("images")
        .leftJoin(weights, "weights.image_key", "images.key")
        .select(columns)
        .select(sql<number>`coalesce(weight, 0)`.as("weight"))
        .as("weighed");
      let query = read
        .selectFrom(weighed)
        .select([...columns, "weight"])
        .orderBy("weight", "desc")
        .orderBy("key", "desc")
        .limit(limit + 1);
      if (q) query = query.where(contains("key", q));
      if (cursor)
        query = query.where(rowAfter(["weight", "key"], "<", decodeCursor("images", cursor, ["number", "string"])));
      const rows = await query.execute();
      const page = pageOf(
        rows,
        limit,
        ({ weight: _, ...row }) => row,
        (row) => encodeCursor("images", [row.weight, row.key]),
      );
      return { items: await summaries(page.items), next: page.next };
    },
    async summary(key) {
      const rows = await read.selectFrom("images").select(columns).where("key", "=", key).execute();
      return (await summaries(rows))[0];
    },
    async report(key) {
      const row = await read.selectFrom("images").select("report").where("key", "=", key).executeTakeFirst();
      return row && unpackImage(row.report);
    },
    async *keys() {
      let after = "";
      for (;;) {
        const rows = await read
          .selectFrom("images")
          .select("key")
          .where("key", ">", after)
          .orderBy("key")
          .limit(keysAtOnce)
          .execute();
        for (const { key } of rows) yield key;
        const last = rows.at(-1);
        if (rows.length < keysAtOnce || !last) return;
        after = last.key;
      }
    },
    async count() {
      const { count } = await read
        .selectFrom("images")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      return count;
    },
    async worst(limit) {
      const running = read.selectFrom("containers").select("image_key").where("running", "=", 1);
      const rows = await read
        .selectFrom("findings")
        .innerJoin("images", "images.key", "findings.image_key")
        .select("image_key")
        .where("image_key", "in", running)
        .where("findings.state", "=", "open")
        .where("severity", "<=", 2)
        .groupBy("image_key")
        .orderBy(weight, "desc")
        .orderBy("image_key")
        .limit(limit)
        .execute();
      const keys = rows.map((row) => row.image_key);
      if (keys.length === 0) return [];
      const found = await summaries(await read.selectFrom("images").select(columns).where("key", "in", keys).execute());
      return found.toSorted((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key));
    },
  };
}

export interface PackedImage {
  report: ImageReport;
  body: Uint8Array;
}

export async function packImage(report: ImageReport): Promise<PackedImage> {
  return { report, body: await compress(JSON.stringify(report)) };
}

async function unpackImage(body: Uint8Array): Promise<ImageReport> {
  return JSON.parse((await decompress(body)).toString("utf8")) as ImageReport;
}

const rowColumns: Columns = {
  key: "text",
  name: "text",
  digest: "text",
  os: "text",
  packages: "bigint",
  state: "text",
  scanned_at: "bigint",
  report: "blob",
};
const replaces = `on conflict (key) do update set ${[
  "name",
  "digest",
  "os",
  "packages",
  "state",
  "scanned_at",
  "report",
]
  .map((name) => `${name} = excluded.${name}`)
  .join(", ")} where excluded.scanned_at >= images.scanned_at`;

/** The latest scan of each image holds, whichever node tells of it last. */
export async function putImages(engine: Engine, tx: Tx, images: PackedImage[]): Promise<void> {
  // In one order for all, so that two nodes that tell of the same images do not wait for each other in a circle.
  const sorted = images.toSorted(
    (a, b) => compare(a.report.key, b.report.key) || a.report.scannedAt - b.report.scannedAt,
  );
  const latest = new Map(sorted.map((image) => [image.report.key, image]));
  await engine.insertMany(tx, "images", rowColumns, [...latest.values()].map(rowOf), replaces);
}

function rowOf({ report, body }: PackedImage): Value[] {
  const { key, name, digest, inventory, scannedAt } = report;
  const states = new Set(inventory.extractors.map((extractor) => extractor.state));
  const state = (["failed", "partial"] as const).find((worse) => states.has(worse)) ?? "done";
  return [key, name, digest, inventory.os?.name ?? null, inventory.packages.length, state, scannedAt, body];
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
