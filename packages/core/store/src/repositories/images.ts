import type { FindingKind, ImageSummary, Inventory } from "@bulwark/model";
import { sql } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine } from "../engine.ts";
import type { Schema, Tx } from "../schema.ts";
import type { ImageRepository } from "../store.ts";
import { bySeverity } from "./alerts.ts";
import { testify, unpackImage, type PackedImage, type Voice } from "./image-contents.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

const columns = ["key", "name", "digest", "os", "packages", "state", "scanned_at"] as const;
type Row = Pick<Schema["images"], (typeof columns)[number]>;
const keysAtOnce = 200;
const witnessesNamed = 20;
const weight = sql<number>`sum(case severity when 0 then 1000000 when 1 then 1000 when 2 then 1 else 0 end)`;

export function imageRepository({ read }: Engine): ImageRepository {
  /** Open findings and running containers of a page of images, in two queries. */
  async function summaries(rows: Row[]): Promise<ImageSummary[]> {
    if (rows.length === 0) return [];
    const keys = rows.map((row) => row.key);
    const findings = await read
      .selectFrom("findings")
      .select(({ fn }) => ["image_key", "severity", "kind", fn.countAll<number>().as("count")])
      .where("image_key", "in", keys)
      .where("state", "=", "open")
      .groupBy(["image_key", "severity", "kind"])
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
      kinds: byKind(findings.filter((finding) => finding.image_key === row.key)),
    }));
  }

  /** The packages of the report that is shown, with a word on who says otherwise. */
  async function disputed(key: string, inventory: Inventory): Promise<Inventory> {
    const rows = await read
      .selectFrom("image_witnesses")
      .select(["node", "hash"])
      .where("key", "=", key)
      .orderBy("hash")
      .orderBy("node")
      .limit(witnessesNamed)
      .execute();
    const errors = rows.map(({ node, hash }) => ({ path: node, message: `tells content ${hash.slice(0, 8)}` }));
    return {
      ...inventory,
      extractors: [...inventory.extractors, { extractor: "agreement", state: "partial", errors }],
    };
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
      const row = await read
        .selectFrom("images")
        .select(["report", "contents"])
        .where("key", "=", key)
        .executeTakeFirst();
      if (!row) return undefined;
      const report = await unpackImage(row.report);
      if (!row.contents.includes(",")) return report;
      const voices = await read
        .selectFrom("image_contents")
        .select("source")
        .where("key", "=", key)
        .where("hash", "in", row.contents.split(","))
        .execute();
      return isDisputed(voices) ? { ...report, inventory: await disputed(key, report.inventory) } : report;
    },
    async contents(key) {
      const row = await read
        .selectFrom("images")
        .select(["report", "contents"])
        .where("key", "=", key)
        .executeTakeFirst();
      if (!row) return [];
      if (!row.contents.includes(",")) return [await unpackImage(row.report)];
      const rows = await read
        .selectFrom("image_contents")
        .select("report")
        .where("key", "=", key)
        .where("hash", "in", row.contents.split(","))
        .execute();
      return Promise.all(rows.map(async ({ report }) => unpackImage(report)));
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

function byKind(rows: { kind: string; count: number }[]): ImageSummary["kinds"] {
  const counts = { vulnerability: 0, secret: 0, malware: 0, misconfiguration: 0 };
  for (const { kind, count } of rows) counts[kind as FindingKind] += count;
  return counts;
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
  contents: "text",
};
const replaces = `on conflict (key) do update set ${Object.keys(rowColumns)
  .slice(1)
  .map((name) => `${name} = excluded.${name}`)
  .join(", ")}`;

/** What `node` says of these images. Answers with the keys of those of which something else holds now than before. */
export async function putImages(
  engine: Engine,
  tx: Tx,
  node: string,
  images: PackedImage[],
  now: number,
): Promise<Set<string>> {
  // In one order for all, so that two nodes that tell of the same images do not wait for each other in a circle.
  const latest = new Map(images.map((image) => [image.report.key, image]));
  const sorted = [...latest.values()].toSorted((a, b) => compare(a.report.key, b.report.key));
  const changed = new Set<string>();
  for (const image of sorted) {
    const holds = await testify(engine, tx, node, image, now);
    if (await show(engine, tx, image, holds, now)) changed.add(image.report.key);
  }
  return changed;
}

async function show(engine: Engine, tx: Tx, told: PackedImage, voices: Voice[], now: number): Promise<boolean> {
  const { key } = told.report;
  const holds = voices.map(({ hash }) => hash);
  const contents = holds.join(",");
  const before = await tx.selectFrom("images").select("contents").where("key", "=", key).executeTakeFirst();
  if (before?.contents === contents) {
    await tx.updateTable("images").set({ scanned_at: now }).where("key", "=", key).execute();
    return false;
  }
  const shown = holds.find((hash) => before?.contents.split(",").includes(hash)) ?? holds[0] ?? told.hash;
  const image = shown === told.hash ? told : await contentOf(tx, key, shown);
  const { name, digest, inventory } = image.report;
  const state = isDisputed(voices) ? "partial" : image.state;
  const row = [key, name, digest, inventory.os?.name ?? null, inventory.packages.length, state, now, image.body];
  await engine.insertMany(tx, "images", rowColumns, [[...row, contents]], replaces);
  return true;
}

/** Two who read the image in the same way saw something else. */
function isDisputed(voices: readonly { source: string }[]): boolean {
  return new Set(voices.map(({ source }) => source)).size < voices.length;
}

async function contentOf(tx: Tx, key: string, hash: string): Promise<Omit<PackedImage, "hash">> {
  const { state, report } = await tx
    .selectFrom("image_contents")
    .select(["state", "report"])
    .where("key", "=", key)
    .where("hash", "=", hash)
    .executeTakeFirstOrThrow();
  return { report: await unpackImage(report), state: state as ImageSummary["state"], body: report };
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
