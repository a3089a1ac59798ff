import type { HandlersOf } from "../http/register.ts";
import { audited } from "./audited.ts";
import { found } from "./found.ts";

export const alertHandlers: HandlersOf<"alerts"> = {
  async listAlerts({ query: { cursor, limit, ...filter } }, { store }) {
    return store.alerts.list(filter, { cursor, limit });
  },

  async getAlert({ params }, { store }) {
    return found(await store.alerts.get(params.id), "alert");
  },

  async updateAlert(call, context) {
    const alert = found(await context.store.alerts.update(call.params.id, call.body), "alert");
    await audited(context, call, "alert.update", alert.id, call.body);
    await context.live.publish("alert", alert);
    return alert;
  },
};
