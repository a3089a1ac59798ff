import type { HandlersOf } from "../http/register.ts";

export const operationHandlers: HandlersOf<"operations"> = {
  async getHealth({ now }, { health, version }) {
    return { version, components: await health.list(now) };
  },

  async listAudit({ query }, { store }) {
    return store.audit.list(query);
  },
};
