import { z } from "zod";
import { responsePolicy } from "./action.ts";
import { alertException } from "./exception.ts";

/**
 * As hosts, pods and Kubernetes nodes are called. Keys are put together with `/` and `:`, so a name has neither; and
 * `server` is what the control plane calls itself.
 */
export const nodeName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/, "letters, digits, dots, dashes and underscores")
  .refine((name) => name !== "server", "not the word server");

export const clusterName = z
  .string()
  .regex(/^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,126}[A-Za-z0-9])?$/, "a name of letters, digits, - _ and .");

/** Whom a certificate is for: the agent of a node, or what tells of a cluster's objects (`cluster:east`). */
export const agentName = z.union([nodeName, z.templateLiteral(["cluster:", clusterName])]);

/** How what tells of a cluster's objects is known to the control plane. No node is called so. */
export function collectorOf(cluster: string): `cluster:${string}` {
  return `cluster:${cluster}`;
}

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
});
export type AgentSettings = z.infer<typeof agentSettings>;
