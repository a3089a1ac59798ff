import { z } from "zod";
import { responsePolicy } from "./action.ts";
import { alertException } from "./exception.ts";
import { workloadQuarantine } from "./workload-quarantine.ts";

/**
 * As hosts, pods and Kubernetes nodes are called. Keys are put together with `/` and `:`, so a name has neither; and
 * `server` is what the control plane calls itself.
 */
export const nodeName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/, "letters, digits, dots, dashes and underscores")
  .refine((name) => name !== "server", "not the word server");

/** Of a cluster, as Bulwark calls it. `server` is none: what begins so is the control plane's. */
export const clusterName = z
  .string()
  .regex(
    /^(?!server$)[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,126}[A-Za-z0-9])?$/,
    "a name of letters, digits, - _ and ., not the word server",
  );

/** What a node is called where nodes of several clusters meet: see {@link nodeIdOf}. */
export const nodeId = z.string().max(384);

const ownCluster = "default";

/**
 * What the control plane calls a node. A name is a node's own within its cluster only, so that of another cluster goes
 * before it: `east/worker-1`. A node of the cluster `default` has its name alone, as a machine has that is in none.
 */
export function nodeIdOf(cluster: string, name: string): string {
  return cluster === ownCluster || name.startsWith(collectors) ? name : `${cluster}/${name}`;
}

/** The other way round; of whatever a person types, too. */
export function splitNodeId(id: string): { cluster: string; name: string } {
  if (id.startsWith(collectors)) return { cluster: id.slice(collectors.length), name: id };
  const slash = id.indexOf("/");
  return slash < 0 ? { cluster: ownCluster, name: id } : { cluster: id.slice(0, slash), name: id.slice(slash + 1) };
}

/** Whom a certificate is for: the agent of a node, or what tells of a cluster's objects (`cluster:east`). */
export const agentName = z.union([nodeName, z.templateLiteral(["cluster:", clusterName])]);

const collectors = "cluster:";

/** How what tells of a cluster's objects is known to the control plane. No node is called so. */
export function collectorOf(cluster: string): `cluster:${string}` {
  return `${collectors}${cluster}`;
}

export const mostQuarantines = 100;

/** What the control plane tells every agent. */
export const agentSettings = z.strictObject({
  /** Another one with every change. */
  revision: z.number().int(),
  /** Rules that raise no alert. */
  disabledRules: z.array(z.string().min(1).max(128)).max(1000),
  /** Alerts that are not raised. */
  exceptions: z.array(alertException).max(1000).default([]),
  /** What may be done, and what is done by itself. */
  responses: z.array(responsePolicy).max(200).default([]),
  /** Workloads of the agent's cluster that are cut from the network. */
  quarantines: z.array(workloadQuarantine).max(mostQuarantines).default([]),
});
export type AgentSettings = z.infer<typeof agentSettings>;
