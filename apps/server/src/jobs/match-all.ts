import type { MessageJob } from "./job.ts";

/** New advisories: every image is matched again, without being read again. One message each, so replicas share them. */
export const matchEveryImage: MessageJob<"advisories.updated"> = {
  name: "match-all",
  on: "advisories.updated",

  async run(_message, { store, bus, closing }) {
    for await (const key of store.images.keys()) {
      if (closing.aborted) return;
      await bus.publish("image.reported", { key });
    }
  },
};
