import { z } from "zod";
import { severity } from "./severity.ts";

/** Whether a check holds. What could not be looked at is `unknown`: never `pass` and never `fail`. */
export const checkStates = ["pass", "fail", "not-applicable", "unknown"] as const;
export const checkState = z.enum(checkStates);
export type CheckState = z.infer<typeof checkState>;

/** What one check says of one thing: an image's configuration, a manifest, a fact of a host. */
export const checkResult = z.strictObject({
  /** Id of the check in `content/checks`. */
  check: z.string().max(128),
  title: z.string().max(256),
  state: checkState,
  severity,
  /** What was looked at: a file and its place, an object of Kubernetes, a setting. */
  subject: z.string().max(1024),
  /** One sentence: why it is so, with what was seen. */
  reason: z.string().max(2048),
  evidence: z.array(z.strictObject({ key: z.string().max(256), value: z.string().max(4096) })).max(64),
  remedy: z.string().max(4096),
  /** 1 is the first line; null where there is none. */
  line: z.number().int().min(1).nullable(),
});
export type CheckResult = z.infer<typeof checkResult>;
