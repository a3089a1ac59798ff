import { splitNodeId, type FlowReport, type NetworkEnd } from "@bulwark/model";
import type { Store } from "@bulwark/store";
import type { HealthBoard } from "../health/board.ts";
import { count } from "../http/figures.ts";
import { podFinder, type Inventory, type PodFinder } from "./inventory.ts";

type Workload = NonNullable<NetworkEnd["workload"]>;

/** What nodes say of their own pods is held against what the cluster's API server says of them. */
export interface Claims {
  /**
   * The report with its pods as the API server has them. A pod that is another node's is nobody's here; of one that the API
   * server does not know, its name alone is left, until it does.
   */
  hold(report: FlowReport, inventory: Inventory, now: number): Promise<FlowReport>;
}

/** How long a false claim is told of in health. Milliseconds. */
const toldFor = 3_600_000;
const mostTold = 1000;

export function createClaims(store: Store, health: HealthBoard): Claims {
  const finders = new WeakMap<Inventory, PodFinder>();
  /** By node: how many flows it told of pods that are not its own, of which pod last, and when. */
  const refused = new Map<string, { flows: number; pod: string; at: number }>();

  function refuse(node: string, { namespace, pod, name }: Workload, now: number): void {
    count.flowClaims.inc({ result: "refused" });
    const before = refused.get(node);
    if (!before && refused.size >= mostTold) return;
    refused.set(node, { flows: (before?.flows ?? 0) + 1, pod: `${namespace}/${pod ?? name ?? ""}`, at: now });
  }

  function tell(now: number): void {
    for (const [node, { at }] of refused) if (now - at > toldFor) refused.delete(node);
    const said = Array.from(refused, ([node, { flows, pod }]) => `${node} of ${pod} and others (${flows} flows)`);
    health.report({
      id: "flow-claims",
      state: said.length === 0 ? "ok" : "failed",
      summary:
        said.length === 0
          ? "Nodes tell of flows of their own pods"
          : "A node tells of flows of pods that are not its own; they are not counted as those pods'",
      reason: said.slice(0, 20).join("; ").slice(0, 2048),
      remedy: said.length === 0 ? "" : "see who has the node: an agent tells of the pods of its own node only",
      counters: { nodes: refused.size },
    });
  }

  return {
    async hold(report, inventory, now) {
      const finder = finders.get(inventory) ?? podFinder(inventory, splitNodeId(report.node).cluster, store);
      finders.set(inventory, finder);
      const { name } = splitNodeId(report.node);
      // Where not all pods are known, or the node is not called as its cluster calls it, nothing can be held against it.
      const isJudged = inventory.isComplete && inventory.nodes.some((known) => known.name === name);
      const held = async (end: NetworkEnd, time: number): Promise<NetworkEnd> => {
        const { workload } = end;
        if (!workload) return end;
        const own = await ownWorkload(workload, report.node, time, isJudged ? finder : undefined);
        if (own) return own === workload ? end : { ...end, workload: own };
        refuse(report.node, workload, now);
        return { ...end, workload: null };
      };
      const flows: FlowReport["flows"] = [];
      for (const flow of report.flows) {
        const client = await held(flow.client, flow.first);
        flows.push({ ...flow, client, server: await held(flow.server, flow.first) });
      }
      tell(now);
      return { ...report, flows };
    },
  };
}

/** Null: it is not of this node. */
async function ownWorkload(
  claimed: Workload,
  node: string,
  time: number,
  finder: PodFinder | undefined,
): Promise<Workload | null> {
  const { namespace, pod } = claimed;
  // A container without a pod is of no namespace.
  if (pod === null) return namespace === "" ? claimed : null;
  if (!finder) return claimed;
  const { name } = splitNodeId(node);
  const named = await finder(namespace, pod, name);
  const here = named.filter((known) => known.node === name);
  const own = here.find(({ since, until }) => since <= time && (until === null || time <= until)) ?? here[0];
  if (own) return { ...own.workload, node };
  if (named.length > 0) return null;
  count.flowClaims.inc({ result: "unknown" });
  return { namespace, pod, node, name: null, kind: null, labels: {}, serviceAccount: null };
}
