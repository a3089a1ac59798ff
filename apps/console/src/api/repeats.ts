import type { RepeatsOf, StoredAlert } from "@bulwark/model";

/** The alert with what happened again of it, unless it has that, or more, already. */
export function withRepeats(alert: StoredAlert, { count, last }: RepeatsOf): StoredAlert {
  return count > (alert.repeats?.count ?? 0) ? { ...alert, repeats: { count, last } } : alert;
}
