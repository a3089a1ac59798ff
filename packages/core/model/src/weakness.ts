import { z } from "zod";
import { installedPackage } from "./inventory.ts";
import { malware } from "./malware.ts";
import { checkResult } from "./misconfiguration.ts";
import { secret } from "./secret.ts";
import { vulnerability } from "./vulnerability.ts";

export const findingKinds = ["vulnerability", "secret", "malware", "misconfiguration"] as const;
export const findingKind = z.enum(findingKinds);
export type FindingKind = z.infer<typeof findingKind>;

/** Files that told of a weakness, as many as are kept. */
export const locationsKept = 20;

/** Where in the image it is, and what brought it. */
const place = {
  locations: z.array(z.string().max(4096)).max(locationsKept),
  /** Digest of the layer, and what the build step that made it ran; null where that is not known. */
  layer: installedPackage.shape.layer,
  step: installedPackage.shape.step,
  origin: installedPackage.shape.origin,
};

export const vulnerabilityWeakness = z.strictObject({ kind: z.literal("vulnerability"), ...place, vulnerability });
export const secretWeakness = z.strictObject({ kind: z.literal("secret"), ...place, secret });
export const malwareWeakness = z.strictObject({ kind: z.literal("malware"), ...place, malware });
/** A check that does not hold. */
export const misconfigurationWeakness = z.strictObject({
  kind: z.literal("misconfiguration"),
  ...place,
  misconfiguration: checkResult,
});

/** One weakness of an image, with its place. A finding is a weakness and what has become of it. */
export const weakness = z.discriminatedUnion("kind", [
  vulnerabilityWeakness,
  secretWeakness,
  malwareWeakness,
  misconfigurationWeakness,
]);
export type Weakness = z.infer<typeof weakness>;
