import { errorText } from "@bulwark/model";
import { undo } from "../network/documents.ts";
import type { TimedJob } from "./job.ts";

/** Undoes network policies that nobody has confirmed in time. */
export const undoNetworkPolicies: TimedJob = {
  name: "undo-network-policies",
  once: true,
  every: (limits) => limits.networkPoll,

  async run(context, signal) {
    for (const document of await context.store.networkDocuments.due(Date.now())) {
      if (signal.aborted) return;
      const { cluster, id, state: before } = document;
      const { state, problem } = await undo(document, "server", context);
      if (state === before) context.logger.warn({ cluster, id, reason: problem }, "policies could not be undone");
      else {
        const entry = { actor: "server", action: "network-policy.undo", target: id, address: "" };
        const detail = { cluster, state, problem, reason: "nobody confirmed it in time" };
        await context.store.audit.append({ ...entry, time: Date.now(), detail }).catch((error: unknown) => {
          context.logger.error({ reason: errorText(error) }, "an undo is not in the audit log");
        });
      }
      await context.live.publish("network", { cluster, what: "policies" });
    }
  },
};
