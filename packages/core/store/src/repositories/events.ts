import { eventKinds, type Event } from "@bulwark/model";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { EventFilter, EventRepository } from "../store.ts";
import { blockSize, containerKey, unpackEvents } from "./event-blocks.ts";
import { appendEvents } from "./ingest.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

/**
 * A search by text looks at this many events a page and no further, so that it is answered at once among millions. The
 * page then ends early, perhaps empty, and `next` goes on behind the last event that was looked at.
 */
const searchWindow = 10_000;

interface Row {
  id: number;
  time: number;
}

export function eventRepository(engine: Engine): EventRepository {
  const { read } = engine;

  /** Each kind has its own stretch of the index, in order of time: so one index serves lists with and without a kind. */
  function ofKind(kind: string, filter: EventFilter, after: readonly [number, number] | undefined) {
    let query = read.selectFrom("events").where("kind", "=", kind).orderBy("time", "desc").orderBy("id", "desc");
    if (filter.container !== undefined) query = query.where("container", "=", containerKey(filter.container));
    if (filter.since !== undefined) query = query.where("time", ">=", filter.since);
    if (filter.until !== undefined) query = query.where("time", "<=", filter.until);
    // Said twice, because PostgreSQL guesses badly how many rows a pair of columns leaves.
    if (after) query = query.where("time", "<=", after[0]).where(rowAfter(["time", "id"], "<", after));
    return query.select(["time", "id"]);
  }
  type OfKind = ReturnType<typeof ofKind>;

  /** The latest of all kinds, from the latest of each. */
  async function latest(kinds: OfKind[], limit: number): Promise<Row[]> {
    const [first, ...others] = kinds.map((query) => read.selectFrom(query.limit(limit).as("rows")).selectAll());
    if (!first) return [];
    let all = first;
    for (const other of others) all = all.unionAll(other);
    return all.orderBy("time", "desc").orderBy("id", "desc").limit(limit).execute();
  }

  /** Where a search by text ends: where the first kind has had its share of the window. Undefined: nowhere before the end. */
  async function windowEnd(kinds: OfKind[]): Promise<Row | undefined> {
    const share = Math.floor(searchWindow / kinds.length);
    const ends = await Promise.all(
      kinds.map(async (query) =>
        query
          .offset(share - 1)
          .limit(1)
          .executeTakeFirst(),
      ),
    );
    return ends.filter((row) => row !== undefined).toSorted((a, b) => b.time - a.time || b.id - a.id)[0];
  }

  /** The events of these rows. One whose block retention has just taken is left out. */
  async function load(rows: Row[], container: string | undefined): Promise<Event[]> {
    const places = new Map<number, number[]>();
    for (const { id } of rows) {
      const block = Math.floor(id / blockSize);
      places.set(block, [...(places.get(block) ?? []), id % blockSize]);
    }
    if (places.size === 0) return [];
    const blocks = await read
      .selectFrom("event_blocks")
      .select(["id", "body"])
      .where("id", "in", [...places.keys()])
      .execute();
    const opened = await Promise.all(
      blocks.map(async ({ id, body }) => [id, await unpackEvents(body, places.get(id) ?? [])] as const),
    );
    const events = new Map(opened);
    return rows
      .map(({ id }) => events.get(Math.floor(id / blockSize))?.get(id % blockSize))
      .filter((event) => event !== undefined)
      .filter((event) => container === undefined || (event.kind !== "audit" && event.container?.id === container));
  }

  return {
    append: async (events, now) => appendEvents(engine, events, now),
    async list(filter, { cursor, limit }) {
      const after = cursor === undefined ? undefined : decodeCursor("events", cursor, ["number", "number"]);
      const toCursor = ({ time, id }: Row): string => encodeCursor("events", [time, id]);
      const kinds = (filter.kind ? [filter.kind] : eventKinds).map((kind) => ofKind(kind, filter, after));
      const { q } = filter;
      // The end is settled first: events that come in the meantime do not move it.
      const end = q ? await windowEnd(kinds) : undefined;
      const rows = await latest(
        kinds.map((query) => {
          let narrowed = query;
          if (end) {
            narrowed = narrowed.where("time", ">=", end.time);
            narrowed = narrowed.where(rowAfter(["time", "id"], ">=", [end.time, end.id]));
          }
          if (q) narrowed = narrowed.where(contains("search", q));
          return narrowed;
        }),
        limit + 1,
      );
      const page = pageOf(rows, limit, (row) => row, toCursor);
      return { items: await load(page.items, filter.container), next: page.next ?? (end ? toCursor(end) : null) };
    },
  };
}
