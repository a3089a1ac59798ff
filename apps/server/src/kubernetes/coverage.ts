import {
  collectorOf,
  nodeIdOf,
  parseSelector,
  type Component,
  type NodeCoverage,
  type Page,
  type StoredKubeObject,
} from "@bulwark/model";
import type { KubeFilter } from "@bulwark/store";
import type { Context } from "../context.ts";

/** The labels that the chart gives the pods of the agents. */
const agentPods = parseSelector("app.kubernetes.io/name=bulwark,app.kubernetes.io/component=agent");

/** Of each node of a cluster, whether an agent watches it, and why not; by name. */
export async function coverageOf(cluster: string, context: Context, now: number): Promise<NodeCoverage[]> {
  const { store, health, limits, version } = context;
  const [nodes, pods, components, agents] = await Promise.all([
    all(context, { cluster, kind: "Node" }),
    all(context, { cluster, kind: "Pod", selector: agentPods }),
    health.list(now),
    store.agents.list(now),
  ]);
  const podOf = new Map(pods.map((pod) => [pod.node, pod]));
  const collector = collectorOf(cluster);
  const own = new Set(
    agents.filter((agent) => agent.cluster === cluster && agent.node !== collector).map(({ node }) => node),
  );
  const told = Map.groupBy(components, ({ node }) => node);
  const known = new Set(nodes.map(({ name }) => name));
  const unlisted = [...own].filter((node) => !known.has(node)).map((name) => ({ name, uid: "", obstacle: "" }));
  const named = [...nodes.map((node) => ({ ...node, obstacle: obstacleOf(node) })), ...unlisted];
  return named
    .map(({ name, uid, obstacle }) => {
      return judge({ node: name, uid, obstacle, pod: podOf.get(name), told: told.get(nodeIdOf(cluster, name)) ?? [] });
    })
    .toSorted((a, b) => (a.node < b.node ? -1 : 1));

  function judge({ node, uid, obstacle, pod, told: parts }: Seen): NodeCoverage {
    const heardAt = parts.length === 0 ? null : Math.max(...parts.map(({ updatedAt }) => updatedAt));
    const agentVersion = parts.find((part) => part.version !== undefined)?.version ?? "";
    const [state, detail] = reasonOf();
    return { node, uid, state, detail: detail.slice(0, 1024), version: agentVersion, heardAt };

    function reasonOf(): [NodeCoverage["state"], string] {
      if (heardAt !== null && now - heardAt < limits.silence) {
        if (agentVersion !== "" && agentVersion !== version) return ["version", `${agentVersion}, server ${version}`];
        return ["covered", ""];
      }
      if (pod && !pod.healthy) return ["not-ready", `${pod.name}: ${pod.status}`];
      if (heardAt !== null) return ["silent", pod ? `${pod.name}: ${pod.status}` : ""];
      return pod ? ["never-joined", `${pod.name}: ${pod.status}`] : ["no-pod", obstacle];
    }
  }
}

/** What may keep a pod off a node: the state that it is in, its taints. */
function obstacleOf({ status, facts }: StoredKubeObject): string {
  const taints = facts.find(({ key }) => key === "taints")?.value ?? "";
  return [status === "Ready" ? "" : status, taints].filter((part) => part !== "").join("; ");
}

interface Seen {
  node: string;
  uid: string;
  obstacle: string;
  pod: StoredKubeObject | undefined;
  told: Component[];
}

async function all({ store }: Context, filter: KubeFilter): Promise<StoredKubeObject[]> {
  const objects: StoredKubeObject[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<StoredKubeObject> = await store.kubernetes.plain(filter, { cursor, limit: 1000 });
    objects.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return objects;
}
