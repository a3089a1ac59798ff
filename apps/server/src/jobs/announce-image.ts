import { errorText, type ImageReport } from "@bulwark/model";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import { matchImage } from "./match-image.ts";

/** A report is on disk and says something new: it is matched, and open pages are told. */
export async function announceImage(report: ImageReport, context: Context): Promise<void> {
  const { bus, live, store, logger } = context;
  try {
    await bus.publish("image.reported", { key: report.key });
  } catch (error) {
    // The agent will not send this image again, so it must not wait for a bus that may be away for long.
    count.publishFailed.inc({ subject: "image.reported" });
    logger.warn({ image: report.key, reason: errorText(error) }, "the bus does not take an image; matched here");
    matchImage(report.key, context).catch((error: unknown) => {
      logger.error({ image: report.key, reason: errorText(error) }, "an image could not be matched");
    });
  }
  const summary = await store.images.summary(report.key);
  if (summary) await live.publish("image", summary);
}
