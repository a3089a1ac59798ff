import { z } from "zod";
import { severity } from "./severity.ts";
import {
  findingKind,
  malwareWeakness,
  misconfigurationWeakness,
  secretWeakness,
  vulnerabilityWeakness,
} from "./weakness.ts";

export const findingStates = ["open", "deferred", "fixed"] as const;
export const findingState = z.enum(findingStates);
export type FindingState = z.infer<typeof findingState>;

const lasting = {
  /** Hash of kind, asset and what is weak in it. */
  fingerprint: z.string().max(64),
  /** The image by name and digest. */
  asset: z.strictObject({ kind: z.enum(["image"]), key: z.string().max(1400), name: z.string().max(1024) }),
  severity,
  title: z.string().max(512),
  state: findingState,
  firstSeen: z.number().int(),
  lastSeen: z.number().int(),
  /** Running containers of the asset, now. */
  runningContainers: z.number().int(),
};

/** A lasting weakness of an asset. The same weakness tomorrow has the same fingerprint. */
export const finding = z.discriminatedUnion("kind", [
  vulnerabilityWeakness.extend(lasting),
  secretWeakness.extend(lasting),
  malwareWeakness.extend(lasting),
  misconfigurationWeakness.extend(lasting),
]);
export type Finding = z.infer<typeof finding>;

/** Findings that are the same weakness, or of the same package, in however many images. */
export const findingGroup = z.strictObject({
  /** The CVE, kind of secret, rule or check; or the package. */
  name: z.string().max(512),
  kind: findingKind,
  /** The worst. */
  severity,
  exploited: z.boolean(),
  /** Of these findings an update mends so many. */
  fixable: z.number().int(),
  findings: z.number().int(),
  images: z.number().int(),
  /** Images of these that run now. */
  runningImages: z.number().int(),
  firstSeen: z.number().int(),
});
export type FindingGroup = z.infer<typeof findingGroup>;

/** How many findings were open at the end of a day, or are now. */
export const findingDay = z.strictObject({
  /** Midnight, UTC, at which the day began. */
  time: z.number().int(),
  open: z.record(severity, z.number().int()),
});
export type FindingDay = z.infer<typeof findingDay>;
