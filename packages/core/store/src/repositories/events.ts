import { eventKinds, type Event } from "@bulwark/model";
import type { SelectQueryBuilder } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { Schema } from "../schema.ts";
import type { EventFilter, EventRepository } from "../store.ts";
import { blockSize, containerKey, unpackEvents } from "./event-blocks.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

/**
 * A search by text looks at this many events a page and no further, so that it is answered at once among millions. The
 * page then ends early, perhaps empty, and `next` goes on behind the last event that was looked at.
 */
const searchWindow = 50_000;

interface Row {
  id: number;
  time: number;
}

export function eventRepository({ read }: Engine): EventRepository {
  /**
   * Each kind has its own stretch of the index, in order of time; the engines walk them side by side and stop at the
   * limit. So one index serves lists with and without a kind.
   */
  function select(filter: EventFilter, after: readonly [number, number] | undefined, until?: Row) {
    const [first = "exec", ...others] = filter.kind ? [filter.kind] : eventKinds;
    const ofKind = (kind: string) => {
      let query = read.selectFrom("events").select(["time", "id", "search"]).where("kind", "=", kind);
      query = narrow(query, filter);
      if (after) query = query.where(rowAfter(["time", "id"], "<", after));
      if (until) query = query.where(rowAfter(["time", "id"], ">=", [until.time, until.id]));
      return query;
    };
    let query = ofKind(first);
    for (const kind of others) query = query.unionAll(ofKind(kind));
    return query.orderBy("time", "desc").orderBy("id", "desc");
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
      .filter((event) => container === undefined || event.container?.id === container);
  }

  return {
    async list(filter, { cursor, limit }) {
      const after = cursor === undefined ? undefined : decodeCursor("events", cursor, ["number", "number"]);
      const toCursor = ({ time, id }: Row): string => encodeCursor("events", [time, id]);
      const toPage = async (rows: Row[], end: Row | undefined) => {
        const page = pageOf(rows, limit, (row) => row, toCursor);
        const next = page.next ?? (end ? toCursor(end) : null);
        return { items: await load(page.items, filter.container), next };
      };
      if (!filter.q) {
        const rows = await select(filter, after)
          .limit(limit + 1)
          .execute();
        return toPage(rows, undefined);
      }

      // Where the window ends is settled first: events that come in the meantime do not move it.
      const end = await read
        .selectFrom(select(filter, after).limit(searchWindow).as("window"))
        .select(["time", "id"])
        .orderBy("time", "desc")
        .orderBy("id", "desc")
        .offset(searchWindow - 1)
        .limit(1)
        .executeTakeFirst();
      const rows = await read
        .selectFrom(select(filter, after, end).as("window"))
        .select(["time", "id"])
        .where(contains("search", filter.q))
        .orderBy("time", "desc")
        .orderBy("id", "desc")
        .limit(limit + 1)
        .execute();
      return toPage(rows, end);
    },
  };
}

function narrow<O>(
  query: SelectQueryBuilder<Schema, "events", O>,
  { container, since, until }: EventFilter,
): SelectQueryBuilder<Schema, "events", O> {
  let narrowed = query;
  if (container !== undefined) narrowed = narrowed.where("container", "=", containerKey(container));
  if (since !== undefined) narrowed = narrowed.where("time", ">=", since);
  if (until !== undefined) narrowed = narrowed.where("time", "<=", until);
  return narrowed;
}
