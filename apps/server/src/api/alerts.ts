import { randomUUID } from "node:crypto";
import { actorOf } from "../auth/caller.ts";
import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";
import { audited } from "./audited.ts";
import { found } from "./found.ts";
import { ruleText } from "./rule-text.ts";

const mostExceptions = 1000;

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

  async getRuleText({ params, query }, { store }) {
    const told = query.node === undefined ? undefined : await store.alerts.ruleText(query.node, params.id);
    if (told) return { rule: told };
    const own = await ruleText(params.id);
    return { rule: own ? { ...own, changedAt: null } : null };
  },

  async createException(call, context) {
    if (call.body.expiresAt <= call.now) throw new Refusal("invalid", "the exception would have expired already");
    const exception = { ...call.body, id: randomUUID(), owner: actorOf(call.caller), createdAt: call.now };
    await context.agentSettings.change(({ exceptions }) => {
      // Those that are over are of no use to agents; the audit log has them.
      const good = exceptions.filter(({ expiresAt }) => expiresAt > call.now);
      if (good.length >= mostExceptions)
        throw new Refusal("conflict", `there are ${mostExceptions} exceptions already`);
      return { exceptions: [...good, exception] };
    });
    await audited(context, call, "exception.create", exception.rule, exception);
    return exception;
  },

  async deleteException(call, context) {
    const { id } = call.params;
    await context.agentSettings.change(({ exceptions }) => {
      found(
        exceptions.find((exception) => exception.id === id),
        "exception",
      );
      return { exceptions: exceptions.filter((exception) => exception.id !== id) };
    });
    await audited(context, call, "exception.delete", id);
  },
};
