import { readFile } from "node:fs/promises";
import { z } from "zod";
import { plainEntry, summaryLength, type AffectedPackage, type Feed } from "./feed.ts";

const path = "debian/tracker.json";

/** https://www.debian.org/releases/; what comes after is added when it has a number. */
const releases: Record<string, string> = {
  jessie: "8",
  stretch: "9",
  buster: "10",
  bullseye: "11",
  bookworm: "12",
  trixie: "13",
  forky: "14",
  duke: "15",
  sid: "sid",
};

const state = z.object({
  status: z.string(),
  urgency: z.string().nullish(),
  /** `0` says that the release never had it. */
  fixed_version: z.string().nullish(),
  /** Why there is no notice: `ignored`, `postponed`. */
  nodsa_reason: z.string().nullish(),
});
const tracker = z.record(
  z.string(),
  z.record(z.string(), z.object({ description: z.string().nullish(), releases: z.record(z.string(), state) })),
);

/**
 * Debian's security tracker: for each source package and weakness what holds in each release, with the states that OSV
 * does not have: ignored, end of life, not affected. https://security-tracker.debian.org/tracker/data/json
 */
export const debianTracker: Feed = {
  files: [path],
  has: (candidate) => candidate === path,
  nameOf: () => "debian-tracker",
  address: () => "https://security-tracker.debian.org/tracker/data/json",
  async load(file, _path, writer) {
    const packages = tracker.parse(JSON.parse(await readFile(file, "utf8")));
    let records = 0;
    for (const [name, weaknesses] of Object.entries(packages)) {
      for (const [id, { description, releases: states }] of Object.entries(weaknesses)) {
        records++;
        writer.advisory({
          id,
          weaknesses: [[id]],
          summary: (description ?? "").slice(0, summaryLength),
          published: null,
          vector: null,
          links: [`https://security-tracker.debian.org/tracker/${id}`],
          affected: Object.entries(states).flatMap(([release, said]) => affectedOf(name, release, said)),
        });
      }
    }
    return records;
  },
};

/** Nothing for a release without a number, and for what the tracker has not determined. */
function affectedOf(name: string, codename: string, said: z.infer<typeof state>): AffectedPackage[] {
  const release = releases[codename];
  if (release === undefined || !/^(open|resolved)$/.test(said.status)) return [];
  const fixed = said.status === "resolved" ? (said.fixed_version ?? null) : null;
  const entry = { ...plainEntry, ecosystem: `Debian:${release}`, package: name, urgency: said.urgency ?? null };
  if (fixed === "0") return [{ ...entry, ranges: [], status: "not-affected" }];
  if (said.status === "resolved" && fixed === null) return [];
  return [{ ...entry, ranges: [{ from: null, to: fixed, closed: false }], status: statusOf(said) }];
}

function statusOf({ status, urgency, nodsa_reason }: z.infer<typeof state>): "affected" | "wont-fix" | "end-of-life" {
  if (status === "resolved") return "affected";
  if (urgency === "end-of-life") return "end-of-life";
  return nodsa_reason === "ignored" ? "wont-fix" : "affected";
}
