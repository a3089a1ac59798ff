import { z } from "zod";
import { severity } from "./severity.ts";
import { vulnerability } from "./vulnerability.ts";

export const findingStates = ["open", "deferred", "fixed"] as const;
export const findingState = z.enum(findingStates);
export type FindingState = z.infer<typeof findingState>;

/** A lasting weakness of an asset. The same weakness tomorrow has the same fingerprint. */
export const finding = z.strictObject({
  /** Hash of kind, asset and what is weak in it. */
  fingerprint: z.string().max(64),
  kind: z.enum(["vulnerability"]),
  /** The image by name and digest. */
  asset: z.strictObject({ kind: z.enum(["image"]), key: z.string().max(1400), name: z.string().max(1024) }),
  severity,
  title: z.string().max(512),
  state: findingState,
  firstSeen: z.number().int(),
  lastSeen: z.number().int(),
  vulnerability,
  /** Running containers of the asset, now. */
  runningContainers: z.number().int(),
});
export type Finding = z.infer<typeof finding>;
