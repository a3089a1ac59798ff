import type { Page, StoredAlert } from "@bulwark/model";
import { useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { visible } from "../../ui/visible.ts";

/** Rules that raised the alerts which this console holds, whichever filter they came by: title by id, in the order of titles. */
export function useSeenRules(titleOf: (alert: StoredAlert) => string): Map<string, string> {
  const lists = useQueryClient().getQueriesData<InfiniteData<Page<StoredAlert>>>({ queryKey: ["alerts"] });
  const alerts = lists.flatMap(([, data]) => data?.pages.flatMap(({ items }) => items) ?? []);
  const titles = new Map(alerts.map((alert) => [alert.rule, visible(titleOf(alert))]));
  return new Map([...titles].sort(([, a], [, b]) => a.localeCompare(b)));
}
