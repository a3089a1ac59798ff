import { containerEnd, networkEndKey, networkKeysOf, splitNodeId, type Container } from "@bulwark/model";
import type { Store } from "@bulwark/store";

const mostContainers = 20_000;

/** Running containers of an end, by its key at any grain. */
export async function containersOf(cluster: string, key: string, { containers }: Store): Promise<Container[]> {
  const items: Container[] = [];
  let cursor: string | undefined;
  for (let seen = 0; seen < mostContainers;) {
    const page = await containers.list({ state: "running" }, { cursor, limit: 500 });
    items.push(...page.items.filter((container) => isOf(container, cluster, key)));
    seen += page.items.length;
    if (page.next === null) break;
    cursor = page.next;
  }
  return items;
}

function isOf(container: Container, cluster: string, key: string): boolean {
  if (splitNodeId(container.node).cluster !== cluster) return false;
  const own = networkEndKey(containerEnd(container), "pod");
  const keys = networkKeysOf(key);
  return "exact" in keys ? own === keys.exact : own.startsWith(keys.prefix);
}
