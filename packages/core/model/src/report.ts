import { z } from "zod";
import { extractorStatus, installedPackage, operatingSystem } from "./inventory.ts";
import { malware } from "./malware.ts";
import { checkResult } from "./misconfiguration.ts";
import { reportVersion } from "./report-version.ts";
import { secret } from "./secret.ts";
import { vulnerability } from "./vulnerability.ts";

/** Why something that was found does not count: somebody answers for it. */
export const decision = z.strictObject({
  by: z.enum(["exception", "vex"]),
  /** `accepted`: it is there and is put up with; `not-affected`, `fixed`: it is not there, says who knows the product. */
  status: z.enum(["accepted", "not-affected", "fixed"]),
  reason: z.string().max(4096),
  owner: z.string().max(256).nullable(),
  /** The last day on which it holds, `2026-12-31`; null without an end. */
  until: z.string().max(32).nullable(),
  /** The file that says so. */
  source: z.string().max(4096),
});
export type Decision = z.infer<typeof decision>;

const decided = {
  decision: decision.nullable(),
  /** The same for the same weakness tomorrow: by it, a report knows what another one knew. SHA-256 in hexadecimal. */
  fingerprint: z.string().max(64),
};

export const reportedVulnerability = vulnerability.extend({
  ...decided,
  type: installedPackage.shape.type,
  /** Files that told of the package, as many as there are of that version. */
  locations: z.array(z.string().max(4096)).max(1000),
  layer: installedPackage.shape.layer,
  step: installedPackage.shape.step,
  origin: installedPackage.shape.origin,
  development: z.boolean(),
});
export type ReportedVulnerability = z.infer<typeof reportedVulnerability>;
export const reportedSecret = secret.extend({ decision: decision.nullable() });
export type ReportedSecret = z.infer<typeof reportedSecret>;
export const reportedMalware = malware.extend(decided);
export type ReportedMalware = z.infer<typeof reportedMalware>;
export const reportedCheck = checkResult.extend(decided);
export type ReportedCheck = z.infer<typeof reportedCheck>;

/** What an ImagePolicy says of the image. `unknown`: what it asks could not be known, which is not a yes. */
export const policyVerdict = z.strictObject({
  policy: z.string().max(253),
  /** As the policy was asked about it. */
  image: z.string().max(4096),
  verdict: z.enum(["allowed", "denied", "unknown"]),
  /** Why; none where it is allowed. */
  messages: z.array(z.string().max(8192)).max(100),
});
export type PolicyVerdict = z.infer<typeof policyVerdict>;

export const targetKinds = ["image", "container", "fs", "repo", "sbom", "host"] as const;

/** What a scan found. A list that is null was not looked for; what could not be judged is in `unknown`. */
export const report = z.strictObject({
  version: z.literal(reportVersion),
  tool: z.strictObject({ name: z.string().max(64), version: z.string().max(64) }),
  /** ISO 8601. */
  createdAt: z.string().max(64),
  target: z.strictObject({
    kind: z.enum(targetKinds),
    name: z.string().max(4096),
    /** Of the image's manifest or configuration; null where there is none. */
    digest: z.string().max(128).nullable(),
    platform: z.string().max(64).nullable(),
  }),
  os: operatingSystem.nullable(),
  packages: z.array(installedPackage).max(100_000),
  /** What each part of the scan did: an empty list is only clean where its part is done. */
  parts: z.array(extractorStatus).max(1000),
  /** The database that the packages were held against; null where there was none. */
  advisories: z
    .strictObject({
      /** ISO 8601. */
      builtAt: z.string().max(64),
      count: z.number().int().min(0),
      /** Feeds that the last update could not read, and why. */
      problems: z.array(z.string().max(2048)).max(1000),
    })
    .nullable(),
  vulnerabilities: z.array(reportedVulnerability).max(1_000_000).nullable(),
  secrets: z.array(reportedSecret).max(100_000).nullable(),
  malware: z.array(reportedMalware).max(100_000).nullable(),
  checks: z.array(reportedCheck).max(100_000).nullable(),
  /** Packages of which nobody can say whether they have a weakness. */
  unknown: z
    .array(
      z.strictObject({
        reason: z.string().max(1024),
        /** The database lacks advisories that it should have: the result is a part of what it could be. */
        lacking: z.boolean(),
        packages: z.array(z.string().max(1024)).max(100),
        count: z.number().int().min(1),
      }),
    )
    .max(100),
  /** Of the policies that are about the image; absent where none was asked. */
  policies: z.array(policyVerdict).max(10_000).optional(),
  /** What whoever asked should know: exceptions that have run out or fit nothing, an old database. */
  warnings: z.array(z.string().max(4096)).max(1000),
});
export type Report = z.infer<typeof report>;
