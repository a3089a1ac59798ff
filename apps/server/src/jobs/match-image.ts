import { findingKinds, type FindingKind, type Weakness } from "@bulwark/model";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import { hasAnnouncedAdvisories } from "./watch-advisories.ts";
import type { MessageJob } from "./job.ts";
import { weaknessesOf } from "./weaknesses.ts";

/** A new image report: its packages are held against the advisory database, and what it found are findings. */
export const matchReportedImage: MessageJob<"image.reported"> = {
  name: "match-image",
  on: "image.reported",
  // A replica whose advisories are older than those that were announced would close findings that are open.
  able: hasAnnouncedAdvisories,
  run: ({ key }, context) => matchImage(key, context),
};

/** Without an advisory database it says nothing of packages: when one comes, every image is matched. */
export async function matchImage(key: string, context: Context): Promise<void> {
  const { store, matcher, live } = context;
  const weaknesses: Weakness[] = [];
  const kinds = new Set<FindingKind>();
  // Where nodes disagree about the image, what any of them says holds.
  for (const report of await store.images.contents(key)) {
    const found = weaknessesOf(report, await matcher.match(report.inventory));
    weaknesses.push(...found.weaknesses);
    for (const kind of found.kinds) kinds.add(kind);
  }
  if (kinds.size === 0) return;
  const looked = findingKinds.filter((kind) => kinds.has(kind));
  const { opened, fixed } = await store.findings.replace(key, weaknesses, looked, Date.now());
  count.matched.inc();
  if (opened + fixed > 0) await live.publish("finding", { image: key, opened, fixed });
}
