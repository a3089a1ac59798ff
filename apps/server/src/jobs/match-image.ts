import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import type { MessageJob } from "./job.ts";

/** A new image report: its packages are held against the advisory database. */
export const matchReportedImage: MessageJob<"image.reported"> = {
  name: "match-image",
  on: "image.reported",
  run: ({ key }, context) => matchImage(key, context),
};

/** Does nothing without an advisory database: when one comes, every image is matched. */
export async function matchImage(key: string, context: Context): Promise<void> {
  const { store, matcher, live } = context;
  const report = await store.images.report(key);
  if (!report) return;
  const vulnerabilities = await matcher.match(report.inventory);
  if (!vulnerabilities) return;
  const { opened, fixed } = await store.findings.replace(key, vulnerabilities, Date.now());
  count.matched.inc();
  if (opened + fixed > 0) await live.publish("finding", { image: key, opened, fixed });
}
