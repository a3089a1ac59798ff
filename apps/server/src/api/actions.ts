import { randomUUID } from "node:crypto";
import type { ActionRecord, Container, ResponsePolicy } from "@bulwark/model";
import { giveOrder } from "../agents/orders.ts";
import { begin, end, lasting, mayBegin, membersOf, triesOf } from "../agents/quarantines.ts";
import { actorOf } from "../auth/caller.ts";
import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";
import { audited } from "./audited.ts";
import { found } from "./found.ts";

const mostPolicies = 200;

export const actionHandlers: HandlersOf<"actions"> = {
  async listActions({ query: { cursor, limit, ...filter } }, { store }) {
    return store.actions.list(filter, { cursor, limit });
  },

  async getAction({ params }, { store }) {
    return found(await store.actions.get(params.id), "action");
  },

  async orderAction(call, context) {
    const { container: id, alert, action, reason, dryRun } = call.body;
    const container = found(await context.store.containers.get(id), "container");
    if (container.state === "stopped") throw new Refusal("conflict", "the container does not run any more");
    const by = actorOf(call.caller);
    const record = recordOf(container, { id: randomUUID(), action, alert, by, reason, time: call.now });
    // On record before it is given: what nobody can account for is not done.
    await audited(context, call, dryRun ? "action.try" : "action.order", container.id, {
      id: record.id,
      action,
      alert,
      reason,
    });
    const order = { kind: "act" as const, container: container.id, alert, action, dryRun };
    await giveOrder({ id: record.id, node: container.node, by, reason, order }, record, context, call.now);
    await context.live.publish("action", record);
    return record;
  },

  async undoAction(call, context) {
    const record = found(await context.store.actions.get(call.params.id), "action");
    if (record.state !== "done" || record.until === null) {
      throw new Refusal("conflict", "it does not last: there is nothing to undo");
    }
    const by = actorOf(call.caller);
    await audited(context, call, "action.undo", record.container, { id: record.id });
    const order = { kind: "undo" as const, action: record.id };
    await giveOrder({ node: record.node, by, reason: "undo", order }, null, context, call.now);
    return record;
  },

  async listWorkloadQuarantines({ query: { cluster }, now }, { agentSettings }) {
    const items = lasting(await agentSettings.current(), now);
    return { items: items.filter((one) => cluster === undefined || one.cluster === cluster) };
  },

  async quarantineWorkload(call, context) {
    const { dryRun, limitMs, ...wish } = call.body;
    const { now: time } = call;
    const by = actorOf(call.caller);
    const members = await membersOf(wish, context);
    const target = `${wish.cluster}/${wish.namespace}/${wish.workload}`;
    if (!dryRun) {
      const quarantine = { ...wish, id: `workload-${randomUUID()}`, by, time, until: time + limitMs };
      mayBegin(quarantine, await context.agentSettings.current());
      // On record before it is given: what nobody can account for is not done.
      await audited(context, call, "workload-quarantine.order", target, quarantine);
      await begin(quarantine, context);
      return { quarantine, tries: [], containers: members.length };
    }
    const { except, onFailure, reason } = wish;
    const action = { kind: "quarantine" as const, limitMs, except, onFailure };
    const tries = triesOf(members, { action, by, reason, time });
    await audited(context, call, "workload-quarantine.try", target, { reason, action, containers: tries.length });
    for (const record of tries) {
      const { id, node, container } = record;
      const order = { kind: "act" as const, container, alert: null, action, dryRun };
      await giveOrder({ id, node, by, reason, order }, record, context, time);
    }
    return { quarantine: null, tries, containers: members.length };
  },

  async undoWorkloadQuarantine(call, context) {
    const all = lasting(await context.agentSettings.current(), call.now);
    const quarantine = found(
      all.find(({ id }) => id === call.params.id),
      "quarantine",
    );
    const { cluster, namespace, workload, id } = quarantine;
    await audited(context, call, "workload-quarantine.undo", `${cluster}/${namespace}/${workload}`, { id });
    await end(quarantine, context);
    return quarantine;
  },

  async setResponsePolicy(call, context) {
    const policy: ResponsePolicy = { ...call.body, id: call.params.id };
    await context.agentSettings.change(({ responses }) => {
      const others = responses.filter(({ id }) => id !== policy.id);
      if (others.length >= mostPolicies) throw new Refusal("conflict", `there are ${mostPolicies} policies already`);
      return { responses: [...others, policy] };
    });
    await audited(context, call, "response-policy.set", policy.id, policy);
    return policy;
  },

  async deleteResponsePolicy(call, context) {
    const { id } = call.params;
    await context.agentSettings.change(({ responses }) => {
      found(
        responses.find((policy) => policy.id === id),
        "policy",
      );
      return { responses: responses.filter((policy) => policy.id !== id) };
    });
    await audited(context, call, "response-policy.delete", id);
  },
};

function recordOf(
  { id: container, node, name, pod }: Container,
  told: Pick<ActionRecord, "id" | "action" | "alert" | "by" | "reason" | "time">,
): ActionRecord {
  const containerName = pod ? `${pod.namespace}/${pod.name}/${pod.container}` : name;
  const empty = { text: "", remedy: "", until: null, counts: null };
  return { ...told, node, container, containerName, state: "ordered", ...empty };
}
