import { z } from "zod";
import type { Alert } from "./alert.ts";
import { isInScope, matchesPattern, ruleScope } from "./scope.ts";

/** A waiver: alerts of one rule that are not raised, of whom, until when, why, and who said so. */
export const alertException = z.strictObject({
  id: z.string().min(1).max(64),
  rule: z.string().min(1).max(128),
  scope: ruleScope,
  /** Of the program's path, `*` for any run of characters; empty: every program. */
  executable: z.string().max(4096),
  reason: z.string().min(1).max(1024),
  owner: z.string().max(256),
  createdAt: z.number().int(),
  /** Milliseconds since the epoch. None lasts for ever. */
  expiresAt: z.number().int(),
});
export type AlertException = z.infer<typeof alertException>;

/** Whether an alert is waived now. One whose container is not known is waived only by an exception for every container. */
export function isExcepted(exception: AlertException, alert: Alert, now: number): boolean {
  const { rule, scope, executable, expiresAt } = exception;
  if (rule !== alert.rule || now >= expiresAt) return false;
  if (executable !== "" && !matchesPattern(executable, alert.process.executable)) return false;
  if (alert.container) return isInScope(scope, alert.container);
  return scope.namespaces.length + scope.images.length + scope.containers.length === 0 && scope.labels.trim() === "";
}
