import type { HandlersOf } from "../http/register.ts";
import { audited } from "./audited.ts";
import { found } from "./found.ts";

export const findingHandlers: HandlersOf<"findings"> = {
  async listFindings({ query: { cursor, limit, ...filter } }, { store }) {
    return store.findings.list(filter, { cursor, limit });
  },

  async listFindingGroups({ query: { by, cursor, limit, ...filter } }, { store }) {
    return store.findings.groups(by, filter, { cursor, limit });
  },

  async getFindingTrend({ query, now }, { store }) {
    return { items: await store.findings.trend(query.days, now) };
  },

  async getFinding({ params }, { store }) {
    return found(await store.findings.get(params.id), "finding");
  },

  async updateFinding(call, context) {
    const finding = found(await context.store.findings.setState(call.params.id, call.body.state), "finding");
    await audited(context, call, "finding.update", finding.fingerprint, call.body);
    await context.live.publish("finding", { image: finding.asset.key });
    return finding;
  },
};
