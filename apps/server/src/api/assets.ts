import type { HandlersOf } from "../http/register.ts";
import { found } from "./found.ts";

export const assetHandlers: HandlersOf<"assets"> = {
  async listContainers({ query: { cursor, limit, ...filter } }, { store }) {
    return store.containers.list(filter, { cursor, limit });
  },

  async getContainer({ params }, { store }) {
    return found(await store.containers.get(params.id), "container");
  },

  async listImages({ query: { cursor, limit, ...filter } }, { store }) {
    return store.images.list(filter, { cursor, limit });
  },

  async getImage({ params }, { store }) {
    const [summary, report] = await Promise.all([store.images.summary(params.id), store.images.report(params.id)]);
    return { summary: found(summary, "image"), report: found(report, "image") };
  },
};
