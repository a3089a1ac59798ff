import type { TimedJob } from "./job.ts";

/** Notes how many findings are open; the last note of a day stands for it. */
export const noteTrend: TimedJob = {
  name: "note-trend",
  once: true,
  every: (limits) => limits.trendEvery,
  run: async ({ store }) => store.findings.noteDay(Date.now()),
};
