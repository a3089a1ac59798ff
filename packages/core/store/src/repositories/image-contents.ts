import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { ImageReport, ImageSummary } from "@bulwark/model";
import type { Columns, Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";

/**
 * What nodes tell of an image, and what of it holds. A digest says what is in an image, so honest nodes agree; one that
 * was taken over must not make a weak image look sound. So no node overwrites another: each has one voice.
 */
const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** A report as it goes into the tables. Made before the transaction. */
export interface PackedImage {
  report: ImageReport;
  state: ImageSummary["state"];
  hash: string;
  body: Uint8Array;
}

export async function packImage(report: ImageReport): Promise<PackedImage> {
  const body = await compress(JSON.stringify(report));
  return { report, state: stateOf(report), hash: hashOf(report), body };
}

export async function unpackImage(body: Uint8Array): Promise<ImageReport> {
  return JSON.parse((await decompress(body)).toString("utf8")) as ImageReport;
}

function stateOf({ inventory }: ImageReport): ImageSummary["state"] {
  const states = new Set(inventory.extractors.map((extractor) => extractor.state));
  return (["failed", "partial"] as const).find((worse) => states.has(worse)) ?? "done";
}

/** The same for two scans of one image: without times, layers (a container's root has none) and texts of errors. */
function hashOf(report: ImageReport): string {
  const { scannedAt: _, durationMs: __, source: ___, inventory, ...rest } = report;
  const packages = inventory.packages.map(({ layer: _layer, ...item }) => JSON.stringify(item)).toSorted();
  const extractors = inventory.extractors.map(({ extractor, state }) => `${extractor}=${state}`).toSorted();
  const text = JSON.stringify([rest, inventory.os, packages, extractors]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

const contentColumns: Columns = { key: "text", hash: "text", state: "text", report: "blob" };
const witnessColumns: Columns = { key: "text", node: "text", hash: "text", seen_at: "bigint" };
const toldAnew = "on conflict (key, node) do update set hash = excluded.hash, seen_at = excluded.seen_at";

/** Keeps what `node` says of an image, and answers with the contents that hold now; the first is the one to show. */
export async function testify(
  engine: Engine,
  tx: Tx,
  node: string,
  { report: { key }, hash, state, body }: PackedImage,
  now: number,
): Promise<string[]> {
  await engine.lock(tx, "images", key);
  await engine.insertMany(tx, "image_contents", contentColumns, [[key, hash, state, body]]);
  await engine.insertMany(tx, "image_witnesses", witnessColumns, [[key, node, hash, now]], toldAnew);
  return settle(tx, key);
}

async function settle(tx: Tx, key: string): Promise<string[]> {
  const said = tx.selectFrom("image_witnesses").select("hash").where("key", "=", key);
  await tx.deleteFrom("image_contents").where("key", "=", key).where("hash", "not in", said).execute();
  const voices = await tx
    .selectFrom("image_contents as content")
    .innerJoin("image_witnesses as witness", (join) =>
      join.onRef("witness.key", "=", "content.key").onRef("witness.hash", "=", "content.hash"),
    )
    .select(({ fn }) => ["content.hash", "content.state", fn.countAll<number>().as("nodes")])
    .where("content.key", "=", key)
    .groupBy(["content.hash", "content.state"])
    .execute();
  // Who could not read the image has nothing to say against those who could.
  const read = voices.filter(({ state }) => state !== "failed");
  const heard = read.length > 0 ? read : voices;
  const most = Math.max(0, ...heard.map(({ nodes }) => nodes));
  return heard
    .filter(({ nodes }) => nodes === most)
    .map(({ hash }) => hash)
    .toSorted();
}
