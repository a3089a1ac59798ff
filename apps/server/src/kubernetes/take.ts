import type { KubeChange, KubeStatus } from "@bulwark/model";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";

/** Takes changes of a cluster into the store, and tells open pages. Says how many objects are now others than before. */
export async function takeChanges(
  cluster: string,
  changes: readonly KubeChange[],
  { store, live }: Context,
): Promise<number> {
  const changed = await store.kubernetes.write(cluster, changes, Date.now());
  const total = changed.reduce((sum, item) => sum + item.changed, 0);
  if (total === 0) return 0;
  count.kubeChanges.inc({ cluster, result: "written" }, total);
  const kinds = Object.fromEntries(changed.map((item) => [item.kind, item.changed]));
  await live.publish("cluster", { cluster, kinds });
  return total;
}

/** One line of health for a cluster. */
export function summaryOf({ version, syncedAt, counters }: KubeStatus): string {
  if (syncedAt === null) return `${version}: its objects are being read`;
  return `${version}: ${(counters["written"] ?? 0).toLocaleString("en")} changes taken in`;
}
