import { scanFromRegistry } from "../registries/scan.ts";
import type { TimedJob } from "./job.ts";

/** Scans images of registries, one at a time in each replica; each image by one of them. */
export const scanRegistries: TimedJob = {
  name: "scan-registries",
  every: (limits) => limits.registryPoll,

  async run(context) {
    const { store, closing, limits } = context;
    while (!closing.aborted) {
      const scan = await store.scans.claim(limits.scanSilence, Date.now());
      if (!scan) return;
      await scanFromRegistry(scan, context);
    }
  },
};
