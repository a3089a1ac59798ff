import type { AlertState, Severity } from "@bulwark/model";
import { compact, manyOf, milliseconds, oneOf, severities, text, type Raw } from "../../search.ts";

export const alertStates = ["open", "acknowledged", "closed"] as const satisfies AlertState[];

/** What the address of the page of alerts may say. */
export interface AlertSearch {
  severity?: Severity[] | undefined;
  state?: AlertState | undefined;
  rule?: string | undefined;
  container?: string | undefined;
  /** Alerts of its pods: `<cluster>/<uid>`. */
  object?: string | undefined;
  q?: string | undefined;
  since?: number | undefined;
  until?: number | undefined;
  /** The alert whose detail is open. */
  id?: string | undefined;
}

export function alertSearch(raw: Raw): AlertSearch {
  return compact({
    severity: manyOf(severities, raw["severity"]),
    state: oneOf(alertStates, raw["state"]),
    rule: text(raw["rule"]),
    container: text(raw["container"]),
    object: text(raw["object"], 400),
    q: text(raw["q"]),
    since: milliseconds(raw["since"]),
    until: milliseconds(raw["until"]),
    id: text(raw["id"]),
  });
}
