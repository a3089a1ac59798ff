import { judgeEveryHost } from "../benchmarks/versions.ts";
import type { MessageJob } from "./job.ts";

/**
 * New advisories: every image is matched again, without being read again, and every host. One message for each image, so
 * replicas share them.
 */
export const matchEveryImage: MessageJob<"advisories.updated"> = {
  name: "match-all",
  on: "advisories.updated",

  async run(_message, context) {
    const { store, bus, closing } = context;
    for await (const key of store.images.keys()) {
      if (closing.aborted) return;
      await bus.publish("image.reported", { key });
    }
    await judgeEveryHost(context);
  },
};
