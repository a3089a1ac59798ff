import type { HandlersOf } from "../http/register.ts";

export const eventHandlers: HandlersOf<"events"> = {
  async listEvents({ query: { cursor, limit, ...filter } }, { store }) {
    return store.events.list(filter, { cursor, limit });
  },
};
