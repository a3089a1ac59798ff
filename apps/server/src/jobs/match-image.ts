import type { Vulnerability } from "@bulwark/model";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import { hasAnnouncedAdvisories } from "./watch-advisories.ts";
import type { MessageJob } from "./job.ts";

/** A new image report: its packages are held against the advisory database. */
export const matchReportedImage: MessageJob<"image.reported"> = {
  name: "match-image",
  on: "image.reported",
  // A replica whose advisories are older than those that were announced would close findings that are open.
  able: hasAnnouncedAdvisories,
  run: ({ key }, context) => matchImage(key, context),
};

/** Does nothing without an advisory database: when one comes, every image is matched. */
export async function matchImage(key: string, context: Context): Promise<void> {
  const { store, matcher, live } = context;
  const found: Vulnerability[] = [];
  // Where nodes disagree about the image, what any of them says is held against the advisories.
  const reports = await store.images.contents(key);
  if (reports.length === 0) return;
  for (const { inventory } of reports) {
    const vulnerabilities = await matcher.match(inventory);
    if (!vulnerabilities) return;
    found.push(...vulnerabilities);
  }
  const { opened, fixed } = await store.findings.replace(key, found, Date.now());
  count.matched.inc();
  if (opened + fixed > 0) await live.publish("finding", { image: key, opened, fixed });
}
