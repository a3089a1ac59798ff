import { randomUUID } from "node:crypto";
import {
  mostQuarantines,
  nodeIdOf,
  splitNodeId,
  type ActionRecord,
  type AgentSettings,
  type Container,
  type WorkloadQuarantine,
} from "@bulwark/model";
import type { Context } from "../context.ts";
import { Refusal } from "../http/problem.ts";
import { containersOf } from "../network/containers.ts";

/** Dry runs of one call: each is an order to an agent. */
const mostTries = 200;

/** Those whose time is not over. */
export function lasting({ quarantines }: AgentSettings, now: number): WorkloadQuarantine[] {
  return quarantines.filter(({ until }) => until > now);
}

/** What the agents of a cluster are told: nothing of other clusters. */
export function settingsFor(settings: AgentSettings, cluster: string, now: number): AgentSettings {
  return { ...settings, quarantines: lasting(settings, now).filter((one) => one.cluster === cluster) };
}

/** Running containers of a workload. Raises `Refusal` where nobody has heard of such a workload: it would be a slip of the pen. */
export async function membersOf(
  { cluster, namespace, workload }: Pick<WorkloadQuarantine, "cluster" | "namespace" | "workload">,
  { store }: Context,
): Promise<Container[]> {
  const running = await containersOf(cluster, `${namespace}/${workload}`, store);
  if (running.length > 0) return running;
  const { items } = await store.kubernetes.plain({ cluster, namespace, name: workload, workloads: true }, { limit: 1 });
  if (items.length > 0) return [];
  throw new Refusal("invalid", `there is no workload ${namespace}/${workload} in the cluster ${cluster}`, {
    remedy: "see its name and cluster under Network or Assets",
  });
}

/** What is asked of each container's agent. Raises `Refusal` where there are too many to ask. */
export function triesOf(
  containers: readonly Container[],
  told: Pick<ActionRecord, "action" | "by" | "reason" | "time">,
): ActionRecord[] {
  if (containers.length > mostTries) {
    throw new Refusal("conflict", `${containers.length} containers run of it; at most ${mostTries} are asked`, {
      remedy: "try it for some of them, one by one",
    });
  }
  const empty = { alert: null, state: "ordered" as const, text: "", remedy: "", until: null, counts: null };
  return containers.map(({ id, node, name, pod }) => ({
    ...{ id: randomUUID(), node, container: id, ...told, ...empty },
    containerName: pod ? `${pod.namespace}/${pod.name}/${pod.container}` : name,
  }));
}

/** Raises `Refusal` where there are too many, or the same. */
export function mayBegin({ cluster, namespace, workload, time }: WorkloadQuarantine, settings: AgentSettings): void {
  const others = lasting(settings, time);
  if (others.some((one) => one.cluster === cluster && one.namespace === namespace && one.workload === workload)) {
    throw new Refusal("conflict", "it is cut from the network already", { remedy: "undo that first" });
  }
  if (others.length < mostQuarantines) return;
  throw new Refusal("conflict", `${mostQuarantines} workloads are cut from the network already`, {
    remedy: "undo what is not needed any more",
  });
}

/** Agents are told at once, those of the cluster that ask now. */
export async function begin(quarantine: WorkloadQuarantine, context: Context): Promise<void> {
  await context.agentSettings.change((settings) => {
    mayBegin(quarantine, settings);
    return { quarantines: [...lasting(settings, quarantine.time), quarantine] };
  });
  await ring(quarantine.cluster, context);
}

export async function end({ id, cluster }: WorkloadQuarantine, context: Context): Promise<void> {
  await context.agentSettings.change(({ quarantines }) => ({
    quarantines: quarantines.filter((one) => one.id !== id),
  }));
  await ring(cluster, context);
}

/** Wakes the questions of the cluster's agents: each answer tells that the settings are others. */
async function ring(cluster: string, { store, orderBell }: Context): Promise<void> {
  const nodes = new Set((await store.health.list()).map(({ node }) => node));
  for (const node of nodes) {
    const { cluster: its, name } = splitNodeId(node);
    if (its === cluster && node === nodeIdOf(cluster, name)) await orderBell.ring(node);
  }
}
