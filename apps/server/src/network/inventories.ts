import { splitNodeId, type AgentRecord } from "@bulwark/model";
import type { Store } from "@bulwark/store";
import type { Claims } from "./claims.ts";
import { readInventory, type Inventory } from "./inventory.ts";

/** Milliseconds for which what was read of a cluster is good. */
const freshFor = 10_000;

/** Who clusters consist of, each read when somebody asks, and not more often than every few seconds. */
export interface Inventories {
  of(cluster: string, now: number): Promise<Inventory>;
  /**
   * Records of agents with all that is known of the ends of their flows: an agent knows its own node's only, and of these
   * the cluster knows better.
   */
  complete(records: AgentRecord[], now: number): Promise<AgentRecord[]>;
}

export function createInventories(store: Store, claims: Claims): Inventories {
  const read = new Map<string, Inventory>();
  const reading = new Map<string, Promise<Inventory>>();

  async function of(cluster: string, now: number): Promise<Inventory> {
    const known = read.get(cluster);
    if (known && now - known.loadedAt < freshFor) return known;
    const running = reading.get(cluster) ?? readInventory(cluster, store, known, now);
    reading.set(cluster, running);
    try {
      const inventory = await running;
      read.set(cluster, inventory);
      return inventory;
    } finally {
      reading.delete(cluster);
    }
  }

  return {
    of,
    async complete(records, now) {
      if (!records.some((record) => record.type === "flows" && record.report.flows.length > 0)) return records;
      return Promise.all(
        records.map(async (record): Promise<AgentRecord> => {
          if (record.type !== "flows") return record;
          const inventory = await of(splitNodeId(record.report.node).cluster, now);
          const report = await claims.hold(record.report, inventory, now);
          return { type: "flows", report: { ...report, flows: report.flows.map((flow) => inventory.resolve(flow)) } };
        }),
      );
    },
  };
}
