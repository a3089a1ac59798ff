import type { TimedJob } from "./job.ts";

const day = 86_400_000;

/** The map of the network shows a day: what of it is over is added up before somebody opens the map. */
export const prepareNetwork: TimedJob = {
  name: "prepare-network",
  every: (limits) => limits.networkPrepare,
  async run({ store }) {
    const until = Date.now();
    await store.flows.prepare({ since: until - day, until });
  },
};
