import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { constants, zstdCompressSync, zstdDecompress } from "node:zlib";
import { withoutNul } from "../text.ts";
import type { Event } from "@bulwark/model";

/**
 * Events that are kept together. Neighbours are much alike: a block of them takes a twentieth of its text, and what is
 * written to disk is what bounds the rate of ingest. More in a block would make a page of events that lie far apart slow.
 * Part of the meaning of every id in `events`: never changes without a migration.
 */
export const blockSize = 64;

const decompress = promisify(zstdDecompress);
const parameters = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** A block of the largest events that the model allows stays below; anything more is no block of ours. */
const largestBlock = 512 * 1024 * 1024;
/** Blocks that are made before the event loop has its turn. */
const blocksAtOnce = 8;
/** Index entries and row heads of one event. */
const rowOverhead = 200;
const searchLength = 1024;

export interface EventBlock {
  body: Uint8Array;
  maxTime: number;
  bytes: number;
  rows: { time: number; kind: string; container: number | null; search: string }[];
}

/**
 * On the event loop, with turns for others: to compress a block takes a tenth of a millisecond, a third of what its JSON
 * takes, and handing it to a thread would take longer.
 */
export async function packEvents(events: readonly Event[]): Promise<EventBlock[]> {
  const keys = new Map<string, number>();
  const blocks: EventBlock[] = [];
  for (let at = 0; at < events.length; at += blockSize) {
    blocks.push(pack(events.slice(at, at + blockSize), keys));
    if (blocks.length % blocksAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return blocks;
}

/** The events at these places of a block. */
export async function unpackEvents(body: Uint8Array, places: readonly number[]): Promise<Map<number, Event>> {
  const text = (await decompress(body, { maxOutputLength: largestBlock })).toString("utf8");
  const lines = text.split("\n");
  return new Map(places.map((place) => [place, JSON.parse(lines[place] ?? "null") as Event]));
}

/** 47 bits of a hash, which both engines keep in few bytes. Two containers may share one: look at the event itself. */
export function containerKey(id: string): number {
  return createHash("sha256").update(id).digest().readUIntBE(0, 6) % 2 ** 47;
}

function pack(events: Event[], keys: Map<string, number>): EventBlock {
  const rows: EventBlock["rows"] = [];
  const lines: string[] = [];
  let bytes = rowOverhead * events.length;
  let maxTime = 0;
  for (const event of events) {
    const { time, kind } = event;
    const search = searchOf(event);
    rows.push({ time, kind, container: keyOf(event, keys), search });
    bytes += search.length;
    maxTime = Math.max(maxTime, time);
    // JSON has no line break of its own.
    lines.push(JSON.stringify(event));
  }
  const body = zstdCompressSync(lines.join("\n"), parameters);
  return { body, maxTime, bytes: bytes + body.length, rows };
}

function searchOf(event: Event): string {
  const text = wordsOf(event).join(" ");
  return withoutNul(text.length > searchLength ? text.slice(0, searchLength) : text).toLowerCase();
}

function wordsOf(event: Event): string[] {
  if (event.kind !== "audit") return [...doneWords(event), event.process.executable, ...event.process.arguments];
  const { verb, user, object, sourceIps, status, uri, impersonated, cluster } = event.audit;
  const name =
    object && [object.namespace, object.resource, object.subresource, object.name].filter((part) => part !== "");
  return [verb, name ? name.join("/") : "", user, impersonated, ...sourceIps, String(status), cluster, uri];
}

/** What was done, where the event is about more than its process: names, paths and addresses of the kind's own property. */
function doneWords(event: Exclude<Event, { kind: "audit" }>): string[] {
  switch (event.kind) {
    case "file":
      return [event.file.path, event.file.newPath];
    case "socket":
      return [event.socket.remote?.ip ?? "", event.socket.path];
    case "dns":
      return [event.dns.name, ...event.dns.answers];
    case "call":
      return [event.call.name, ...event.call.arguments.map(({ value }) => value)];
    case "setting":
      return [event.setting.name, event.setting.value];
    default:
      return [];
  }
}

function keyOf(event: Event, keys: Map<string, number>): number | null {
  if (event.kind === "audit" || event.container === null) return null;
  const { container } = event;
  const known = keys.get(container.id);
  if (known !== undefined) return known;
  const key = containerKey(container.id);
  keys.set(container.id, key);
  return key;
}
