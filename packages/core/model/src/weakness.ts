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

export const weaknesses = {
  vulnerability: z.strictObject({ kind: z.literal("vulnerability"), ...place, vulnerability }),
  secret: z.strictObject({ kind: z.literal("secret"), ...place, secret }),
  malware: z.strictObject({ kind: z.literal("malware"), ...place, malware }),
  misconfiguration: z.strictObject({
    kind: z.literal("misconfiguration"),
    ...place,
    /** A check that does not hold. */
    misconfiguration: checkResult,
  }),
} as const;

/** One weakness of an image, with its place. A finding is a weakness and what has become of it. */
export const weakness = z.discriminatedUnion("kind", [
  weaknesses.vulnerability,
  weaknesses.secret,
  weaknesses.malware,
  weaknesses.misconfiguration,
]);
export type Weakness = z.infer<typeof weakness>;
