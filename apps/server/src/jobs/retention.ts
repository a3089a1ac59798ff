import type { TimedJob } from "./job.ts";

const day = 86_400_000;

/** Deletes what is older or larger than `retention` of the configuration allows. */
export const retention: TimedJob = {
  name: "retention",
  once: true,
  every: (limits) => limits.retentionEvery,

  async run({ store, config, logger }) {
    const now = Date.now();
    const { events, alerts, flows, audit, assets, size } = config.retention;
    const report = await store.retain(
      { eventDays: events, alertDays: alerts, flowDays: flows, auditDays: audit, assetDays: assets, bytes: size },
      now,
    );
    await store.agents.forget(now - assets * day);
    if (Object.values(report).some((deleted) => deleted > 0)) logger.info({ ...report }, "retention deleted");
  },
};
