import { z } from "zod";
import type { Alert } from "./alert.ts";
import { isInScope, matchesPattern, ruleScope } from "./scope.ts";
import { matchesSelector, parseSelector } from "./selector.ts";

/** A waiver: alerts of one rule that are not raised, of whom, until when, why, and who said so. */
export const alertException = z.strictObject({
  id: z.string().min(1).max(64),
  rule: z.string().min(1).max(128),
  scope: ruleScope,
  /** Of the program's path, or of the user who asked an API server; `*` for any run of characters, empty: everybody. */
  executable: z.string().max(4096),
  reason: z.string().min(1).max(1024),
  owner: z.string().max(256),
  createdAt: z.number().int(),
  /** Milliseconds since the epoch. None lasts for ever. */
  expiresAt: z.number().int(),
});
export type AlertException = z.infer<typeof alertException>;

/**
 * Whether an alert is waived now. One whose container is not known is waived only by an exception for every container; one
 * about a request to an API server by the namespace and labels of what was asked for.
 */
export function isExcepted(exception: AlertException, alert: Alert, now: number): boolean {
  const { rule, scope, executable, expiresAt } = exception;
  if (rule !== alert.rule || now >= expiresAt) return false;
  const who = alert.request?.user ?? alert.process?.executable ?? "";
  if (executable !== "" && !matchesPattern(executable, who)) return false;
  if (alert.container) return isInScope(scope, alert.container);
  const { namespaces, images, containers, labels } = scope;
  if (images.length + containers.length > 0) return false;
  const { request } = alert;
  if (request === undefined) return namespaces.length === 0 && labels.trim() === "";
  if (namespaces.length > 0 && !namespaces.some((text) => matchesPattern(text, request.namespace))) return false;
  return labels.trim() === "" || matchesSelector(request.labels, parseSelector(labels));
}
