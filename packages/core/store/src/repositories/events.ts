import type { Event } from "@bulwark/model";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { EventRepository } from "../store.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

/**
 * A search by text looks at this many events per page and no further, so that it is answered at once among millions. The
 * page then ends early, perhaps empty, and `next` goes on behind the last event that was looked at.
 */
const searchWindow = 50_000;

export function eventRepository({ read }: Engine): EventRepository {
  return {
    async list({ kind, container, q, since, until }, { cursor, limit }) {
      let query = read.selectFrom("events").orderBy("time", "desc").orderBy("id", "desc");
      if (kind) query = query.where("kind", "=", kind);
      if (container) query = query.where("container", "=", container);
      if (since !== undefined) query = query.where("time", ">=", since);
      if (until !== undefined) query = query.where("time", "<=", until);
      if (cursor)
        query = query.where(rowAfter(["time", "id"], "<", decodeCursor("events", cursor, ["number", "number"])));

      const toItem = (row: { body: string }): Event => JSON.parse(row.body) as Event;
      const toCursor = (row: { time: number; id: number }): string => encodeCursor("events", [row.time, row.id]);
      if (!q) {
        const rows = await query
          .select(["time", "id", "body"])
          .limit(limit + 1)
          .execute();
        return pageOf(rows, limit, toItem, toCursor);
      }

      const window = query.select(["time", "id", "body", "search"]).limit(searchWindow).as("window");
      const rows = await read
        .selectFrom(window)
        .select(["time", "id", "body"])
        .where(contains("search", q))
        .orderBy("time", "desc")
        .orderBy("id", "desc")
        .limit(limit + 1)
        .execute();
      if (rows.length > limit) return pageOf(rows, limit, toItem, toCursor);
      const end = await query
        .select(["time", "id"])
        .offset(searchWindow - 1)
        .limit(1)
        .executeTakeFirst();
      return { items: rows.map(toItem), next: end ? toCursor(end) : null };
    },
  };
}
