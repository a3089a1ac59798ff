import { z } from "zod";
import { severity } from "./severity.ts";

/** A credential that lies where many can read it. What is kept is masked: never the credential itself. */
export const secret = z.strictObject({
  /** Id of the kind in `content/secrets`: `aws-access-key`. */
  kind: z.string().max(128),
  title: z.string().max(256),
  severity,
  /** Path inside the tree; `ENV NAME` or `HISTORY n` for what the image's own configuration holds. */
  location: z.string().max(4096),
  /** 1 is the first line; null where the file has none. */
  line: z.number().int().min(1).nullable(),
  /** First and last characters, the rest is stars. */
  masked: z.string().max(256),
  /** SHA-256 over the kind and the credential, so that the same one is known again without being kept. */
  fingerprint: z.string().max(64),
  layer: z.string().max(128).nullable(),
  step: z.string().max(4096).nullable(),
  /** It is in a layer, and a later one deleted or replaced its file: gone from the container, not from the image. */
  removed: z.boolean(),
  remedy: z.string().max(2048),
});
export type Secret = z.infer<typeof secret>;
