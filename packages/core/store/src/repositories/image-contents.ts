import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { packagesOnly, type ImageReport, type ImageSummary } from "@bulwark/model";
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
  const kept = JSON.parse((await decompress(body)).toString("utf8")) as ImageReport;
  // Reports of agents that looked for packages only are kept as those wrote them.
  return { ...packagesOnly, ...kept };
}

function stateOf({ inventory, parts }: ImageReport): ImageSummary["state"] {
  const states = new Set([...inventory.extractors, ...parts].map(({ state }) => state));
  return (["failed", "partial"] as const).find((worse) => states.has(worse)) ?? "done";
}

/** The same for two scans of one image that read it in the same way: without times and texts of errors. */
function hashOf(report: ImageReport): string {
  const { key, name, digest, source, inventory, secrets, malware, checks, parts } = report;
  const states = [...inventory.extractors, ...parts].map(({ extractor, state }) => `${extractor}=${state}`).toSorted();
  const found = [inventory.packages, secrets, malware, checks].map((list) => list && sorted(list));
  const text = JSON.stringify([key, name, digest, source, inventory.os, states, found]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function sorted(list: readonly object[]): string[] {
  return list.map((item) => JSON.stringify(item)).toSorted();
}

const contentColumns: Columns = { key: "text", hash: "text", state: "text", source: "text", report: "blob" };
const witnessColumns: Columns = { key: "text", node: "text", hash: "text", seen_at: "bigint" };
const toldAnew = "on conflict (key, node) do update set hash = excluded.hash, seen_at = excluded.seen_at";

/** Keeps what `node` says of an image, and answers with the contents that hold now; the first is the one to show. */
export async function testify(
  engine: Engine,
  tx: Tx,
  node: string,
  { report: { key, source }, hash, state, body }: PackedImage,
  now: number,
): Promise<Voice[]> {
  await engine.lock(tx, "images", key);
  // Who has read an image once knows what is in it: a later attempt that failed takes nothing back.
  if (state !== "failed" || !(await hasRead(tx, key, node))) {
    await engine.insertMany(tx, "image_contents", contentColumns, [[key, hash, state, source, body]]);
    await engine.insertMany(tx, "image_witnesses", witnessColumns, [[key, node, hash, now]], toldAnew);
  }
  return settle(tx, key);
}

async function hasRead(tx: Tx, key: string, node: string): Promise<boolean> {
  const found = await tx
    .selectFrom("image_witnesses as witness")
    .innerJoin("image_contents as content", (join) =>
      join.onRef("witness.key", "=", "content.key").onRef("witness.hash", "=", "content.hash"),
    )
    .select("content.hash")
    .where("witness.key", "=", key)
    .where("witness.node", "=", node)
    .where("content.state", "<>", "failed")
    .executeTakeFirst();
  return found !== undefined;
}

/** One content that nodes tell of. */
export interface Voice {
  hash: string;
  source: string;
}

/**
 * What most nodes say holds, of those who read the image in the same way: a container's root has neither layers nor
 * history, so what somebody found there is no word against what the layers show. Both hold then.
 */
async function settle(tx: Tx, key: string): Promise<Voice[]> {
  const said = tx.selectFrom("image_witnesses").select("hash").where("key", "=", key);
  await tx.deleteFrom("image_contents").where("key", "=", key).where("hash", "not in", said).execute();
  const voices = await tx
    .selectFrom("image_contents as content")
    .innerJoin("image_witnesses as witness", (join) =>
      join.onRef("witness.key", "=", "content.key").onRef("witness.hash", "=", "content.hash"),
    )
    .select(({ fn }) => ["content.hash", "content.state", "content.source", fn.countAll<number>().as("nodes")])
    .where("content.key", "=", key)
    .groupBy(["content.hash", "content.state", "content.source"])
    .execute();
  // Who could not read the image has nothing to say against those who could.
  const read = voices.filter(({ state }) => state !== "failed");
  const heard = read.length > 0 ? read : voices;
  return heard
    .filter(({ nodes, source }) => heard.every((other) => other.source !== source || other.nodes <= nodes))
    .map(({ hash, source }) => ({ hash, source }))
    .toSorted((a, b) => (`${a.source} ${a.hash}` < `${b.source} ${b.hash}` ? -1 : 1));
}
