import { createHash } from "node:crypto";
import type { Event, ToldRepeats } from "@bulwark/model";
import type { Columns, Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";

const columns: Columns = { id: "text", seen_at: "bigint" };

interface Told {
  events: readonly Event[];
  repeats: readonly ToldRepeats[];
}

/**
 * Takes the audit records among these down as seen, and the requests that happened again, and answers with the ids of
 * those that had been seen before. An API server that gets no answer sends its batch again, and what is read from a file
 * may come by webhook too.
 */
export async function takeAuditIds(
  engine: Engine,
  tx: Tx,
  { events, repeats }: Told,
  now: number,
): Promise<Set<string>> {
  const records = events.filter(({ kind }) => kind === "audit").map(({ id }) => id);
  const ids = [...records, ...repeats.flatMap(({ id }) => (id === undefined ? [] : [id]))];
  if (ids.length === 0) return new Set();
  // Of two replicas with the same record, one sees what the other has taken down.
  await engine.lock(tx, "clusters", "audit records");
  const byHash = new Map(ids.map((id) => [hashOf(id), id]));
  const hashes = [...byHash.keys()];
  const known = await tx.selectFrom("audit_seen").select("id").where("id", "in", engine.list(hashes)).execute();
  const seen = new Set(known.map(({ id }) => id));
  const rows = hashes.filter((hash) => !seen.has(hash)).map((hash) => [hash, now]);
  await engine.insertMany(tx, "audit_seen", columns, rows);
  return new Set([...seen].map((hash) => byHash.get(hash) ?? ""));
}

/** Each request once; all of what has no id. */
export function notCounted(repeats: readonly ToldRepeats[], seen: ReadonlySet<string>): ToldRepeats[] {
  const counted = new Set(seen);
  return repeats.filter(({ id }) => {
    if (id === undefined) return true;
    if (counted.has(id)) return false;
    counted.add(id);
    return true;
  });
}

/** 96 bits: by chance no two records share one. */
function hashOf(id: string): string {
  return createHash("sha256").update(id).digest("base64url").slice(0, 16);
}
