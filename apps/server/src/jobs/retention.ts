import type { TimedJob } from "./job.ts";

const ranAt = "retention.ranAt";

/** Deletes what is older or larger than `retention` of the configuration allows. */
export const retention: TimedJob = {
  name: "retention",
  every: (limits) => limits.retentionEvery,

  async run({ store, config, limits, logger }) {
    const now = Date.now();
    // With several replicas the first one in each period does it. Two at once would only delete the same rows.
    const last = Number((await store.settings.get(ranAt)) ?? 0);
    if (last <= now && now - last < limits.retentionEvery / 2) return;
    await store.settings.set(ranAt, String(now));

    const { events, alerts, audit, assets, size } = config.retention;
    const report = await store.retain(
      { eventDays: events, alertDays: alerts, auditDays: audit, assetDays: assets, bytes: size },
      now,
    );
    if (Object.values(report).some((deleted) => deleted > 0)) logger.info({ ...report }, "retention deleted");
  },
};
