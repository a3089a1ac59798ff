import { reportBus, reportDatabase } from "../health/own.ts";
import type { TimedJob } from "./job.ts";

/** Looks at what the server itself stands on. */
export const selfCheck: TimedJob = {
  name: "self-check",
  every: (limits) => limits.healthEvery,

  async run(context) {
    await Promise.all([reportDatabase(context), reportBus(context)]);
    await context.health.share();
  },
};
