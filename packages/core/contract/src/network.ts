import {
  container,
  flowProtocol,
  listedEnd,
  networkEdge,
  networkGrain,
  networkObserver,
  networkPolicyDocument,
  networkPolicyMode,
  networkPolicyRef,
  storedFlow,
} from "@bulwark/model";
import { z } from "zod";
import { cursor, id, limit, milliseconds, page, text } from "./parts.ts";
import type { Route } from "./route.ts";

/** A day before `until` where it is absent. */
const since = milliseconds;
/** Now where it is absent. */
const until = milliseconds;
const key = z.string().min(1).max(2048);
const policyText = z.string().max(1_000_000);
const cluster = z.string().min(1).max(128);
const times = {
  since: z.number().int().min(0).optional(),
  until: z.number().int().min(0).optional(),
};

/** What is known of the policies of a cluster, and of who it consists of. */
const clusterKnown = z.object({
  cluster: z.string(),
  /** Network policies in force; null where they are not known. */
  policies: z.number().int().nullable(),
  /** This server may write policies into it. */
  writable: z.boolean(),
  /** Why something is not known or may not be done; empty where nothing is amiss. */
  reason: z.string(),
  remedy: z.string(),
});
export type NetworkCluster = z.infer<typeof clusterKnown>;

/** What was seen of a rule that would be written. */
const learnedRule = z.object({
  direction: z.enum(["ingress", "egress"]),
  /** `shop/web`, a name, an address. */
  peer: z.string(),
  ports: z.array(z.object({ port: z.number().int(), protocol: flowProtocol })),
  confidence: z.enum(["high", "medium", "low"]),
  connections: z.number().int(),
  hours: z.number().int(),
  first: z.number().int(),
  last: z.number().int(),
  processes: z.array(z.string()),
  /** By which it was asked for. */
  names: z.array(z.string()),
});

const learned = z.object({
  /** YAML, ready to be applied. */
  text: z.string(),
  candidates: z.array(
    z.object({
      namespace: z.string(),
      /** Of the workload; the namespace where it is all of it. */
      name: z.string(),
      /** Labels that select it; empty: all pods of the namespace. */
      selector: z.record(z.string(), z.string()),
      /** It selects no other pod that is known. */
      exact: z.boolean(),
      rules: z.array(learnedRule),
    }),
  ),
  /** What a person should know before they are used: what is wider than what was seen, and why. */
  notes: z.array(z.string()),
  /** Edges that were not learned, by reason. */
  skipped: z.record(z.string(), z.number().int()),
  /** That were looked at. */
  edges: z.number().int(),
  /** Flows of that time that are not known: they are not learned. */
  lost: z.number().int(),
});
export type LearnedPolicies = z.infer<typeof learned>;

const denial = z.object({
  client: listedEnd,
  server: listedEnd,
  port: z.number().int(),
  protocol: flowProtocol,
  connections: z.number().int(),
  first: z.number().int(),
  last: z.number().int(),
  /** The side that denies; the client's where both do. */
  side: z.enum(["egress", "ingress"]),
  /** Which policy decides and why. */
  reason: z.string(),
  /** Those that are in force now deny it too. Null where they are not known. */
  deniedNow: z.boolean().nullable(),
});
export type NetworkDenial = z.infer<typeof denial>;

const replayed = z.object({
  /** Edges at the grain of pods that were connected and could be judged. */
  edges: z.number().int(),
  connections: z.number().int(),
  /** Of these; most connections first, the first of them. */
  denied: z.array(denial),
  /** Edges denied, with those that are not listed. */
  deniedEdges: z.number().int(),
  deniedConnections: z.number().int(),
  /** Edges that would be denied, by the workload that would notice. */
  byWorkload: z.array(z.object({ key: z.string(), edges: z.number().int(), connections: z.number().int() })),
  /** Edges on which nothing was ever connected: how many would be let through, and how many not. */
  attempts: z.object({ allowed: z.number().int(), denied: z.number().int() }),
  /** Edges that no policy can speak of, by reason. */
  skipped: z.record(z.string(), z.number().int()),
  /** What is wrong with policies. One with an error is left out of the replay, and cannot be published. */
  problems: z.array(z.object({ severity: z.enum(["error", "warning"]), policy: z.string(), text: z.string() })),
  /** Flows of that time that are not known. */
  lost: z.number().int(),
  cluster: clusterKnown,
});
export type ReplayedPolicies = z.infer<typeof replayed>;

/** Who talks to whom, who may, and what a change would do. */
export const networkRoutes = {
  listNetworkEdges: {
    method: "GET",
    path: "/api/v1/network/edges",
    tag: "network",
    access: "read",
    summary: "Who talks to whom: each pair of ends once, most connections first",
    query: z.strictObject({
      since,
      until,
      cluster: text,
      /** Of one end or the other. */
      namespace: text,
      /** Substring of an end, a process or a policy that denied. */
      q: text,
      grain: networkGrain.default("workload"),
      limit: z.coerce.number().int().min(1).max(10_000).default(2000),
    }),
    response: z.object({
      items: z.array(networkEdge),
      /** All that fit; more than `items` where `truncated`. */
      total: z.number().int(),
      truncated: z.boolean(),
      since: z.number().int(),
      until: z.number().int(),
      /** Flows of that time that found no room, anywhere. */
      lost: z.number().int(),
      observers: z.array(networkObserver),
      clusters: z.array(clusterKnown),
    }),
  },
  listNetworkFlows: {
    method: "GET",
    path: "/api/v1/network/flows",
    tag: "network",
    access: "read",
    summary: "What is stored of an edge, hour by hour at the grain of pods, latest first",
    query: z.strictObject({
      since,
      until,
      cluster: text,
      /** Keys as `listNetworkEdges` gives them, of any grain. */
      client: key.optional(),
      server: key.optional(),
      port: z.coerce.number().int().min(0).max(65_535).optional(),
      protocol: flowProtocol.optional(),
      cursor,
      limit,
    }),
    response: page(storedFlow),
  },
  listNetworkContainers: {
    method: "GET",
    path: "/api/v1/network/containers",
    tag: "network",
    access: "read",
    summary: "Running containers of an end: what a quarantine of it is ordered for, each by `orderAction`",
    query: z.strictObject({ cluster, key }),
    response: z.object({ items: z.array(container) }),
  },
  learnNetworkPolicies: {
    method: "POST",
    path: "/api/v1/network/learn",
    tag: "network",
    access: "read",
    summary: "Policies that allow what was seen and nothing else. Nothing is kept",
    body: z.strictObject({
      cluster,
      /** For whose pods; empty for all that were seen. */
      namespaces: z.array(z.string().min(1).max(256)).max(1000).default([]),
      grain: networkGrain.default("workload"),
      /** Peers outside by name, in a CiliumNetworkPolicy beside the NetworkPolicy. */
      names: z.boolean().default(false),
      /** Each may ask the cluster's name server, seen or not. */
      dns: z.boolean().default(true),
      ...times,
    }),
    response: learned,
  },
  replayNetworkPolicies: {
    method: "POST",
    path: "/api/v1/network/replay",
    tag: "network",
    access: "read",
    summary: "What a change of policies would have done to what was seen. Nothing is kept",
    body: z.strictObject({
      cluster,
      /** YAML of policies that are added, or take the place of those of the same name. */
      text: policyText.default(""),
      remove: z.array(networkPolicyRef).max(1000).default([]),
      ...times,
    }),
    response: replayed,
  },
  listNetworkPolicies: {
    method: "GET",
    path: "/api/v1/network/policies",
    tag: "network",
    access: "read",
    summary: "Network policies that clusters have now",
    query: z.strictObject({ cluster: text, namespace: text }),
    response: z.object({
      items: z.array(
        networkPolicyRef.extend({
          cluster: z.string(),
          /** YAML, without what the API server adds. */
          text: z.string(),
          /** Published from here: the id of the document. */
          document: z.string().nullable(),
          /** What is wrong with it, one line each. */
          problems: z.array(z.string()),
        }),
      ),
      clusters: z.array(clusterKnown),
    }),
  },
  listNetworkPolicyDocuments: {
    method: "GET",
    path: "/api/v1/network/policy-documents",
    tag: "network",
    access: "read",
    summary: "What was published from here and what became of it, latest first",
    query: z.strictObject({ cluster: text, cursor, limit }),
    response: page(networkPolicyDocument),
  },
  getNetworkPolicyDocument: {
    method: "GET",
    path: "/api/v1/network/policy-documents/{id}",
    tag: "network",
    access: "read",
    summary: "One of them; while it observes, with what it would have denied since",
    params: id,
    response: z.object({ document: networkPolicyDocument, observed: replayed.nullable() }),
  },
  publishNetworkPolicies: {
    method: "POST",
    path: "/api/v1/network/policy-documents",
    tag: "network",
    access: "write",
    summary:
      "Observe what policies would do from now on, or put them into a cluster; unless confirmed in time, that is undone",
    body: z.strictObject({
      cluster,
      text: policyText.default(""),
      remove: z.array(networkPolicyRef).max(1000).default([]),
      mode: networkPolicyMode,
      confirmMinutes: z.number().int().min(1).max(1440).default(10),
      reason: z.string().trim().min(1).max(1024),
    }),
    response: networkPolicyDocument,
  },
  confirmNetworkPolicies: {
    method: "POST",
    path: "/api/v1/network/policy-documents/{id}/confirm",
    tag: "network",
    access: "write",
    summary: "Leave published policies in the cluster",
    params: id,
    response: networkPolicyDocument,
  },
  undoNetworkPolicies: {
    method: "POST",
    path: "/api/v1/network/policy-documents/{id}/undo",
    tag: "network",
    access: "write",
    summary: "Put the cluster's policies back as they were before; observing ends",
    params: id,
    response: networkPolicyDocument,
  },
} as const satisfies Record<string, Route>;
