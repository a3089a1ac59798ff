import type { StoredAlert } from "@bulwark/model";
import type { AlertSearch } from "./search.ts";

/** Whether a list with this filter has the alert, its search aside. */
export function matches(alert: StoredAlert, filter: AlertSearch): boolean {
  const { severity, state, rule, container, since, until } = filter;
  if (severity && !severity.includes(alert.severity)) return false;
  if (state && alert.state !== state) return false;
  if (rule !== undefined && alert.rule !== rule) return false;
  if (container !== undefined && alert.container?.id !== container) return false;
  if (since !== undefined && alert.time < since) return false;
  return until === undefined || alert.time <= until;
}

/** The server's order: latest first, the id where times are equal. */
export function newerFirst(one: StoredAlert, other: StoredAlert): number {
  if (one.time !== other.time) return other.time - one.time;
  if (one.id === other.id) return 0;
  return one.id > other.id ? -1 : 1;
}
