import {
  action,
  actionOrder,
  actionRecord,
  agentName,
  agentSettings,
  alertException,
  checkResult,
  checkState,
  alertState,
  batch,
  benchmarkException,
  benchmarkSubject,
  clusterName,
  clusterReport,
  component,
  container,
  event,
  eventKinds,
  imageReport,
  imageSummary,
  kubeCluster,
  kubeKinds,
  kubeRow,
  nodeCoverage,
  nodeId,
  nodeName,
  parseSelector,
  responsePolicy,
  ruleText,
  SelectorError,
  severity,
  storedAlert,
  workloadQuarantine,
  workloadQuarantineWish,
} from "@bulwark/model";
import { z } from "zod";
import { findingRoutes } from "./findings.ts";
import { networkRoutes } from "./network.ts";
import { cursor, id, limit, milliseconds, page, severityList, text } from "./parts.ts";
import { policyRoutes } from "./policies.ts";
import { registryRoutes } from "./registries.ts";
import type { Route } from "./route.ts";
import { scanRoutes } from "./scans.ts";

/** `selector=app=web,tier in (front,back)` */
const selector = z
  .string()
  .max(2048)
  .transform((value, context) => {
    try {
      return parseSelector(value);
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  })
  .optional();
/** Of an object: `<cluster>/<uid>`. */
const objectRef = z
  .string()
  .max(400)
  .transform((value, context) => {
    const slash = value.lastIndexOf("/");
    if (slash > 0 && slash < value.length - 1) return { cluster: value.slice(0, slash), uid: value.slice(slash + 1) };
    context.addIssue({ code: "custom", message: "<cluster>/<uid>" });
    return z.NEVER;
  })
  .optional();

const user = z.object({ name: z.string(), hasPassword: z.boolean() });
const session = z.object({ user, csrf: z.string(), expiresAt: z.number().int() });
const password = z.string().min(12).max(256);

const token = z.object({
  id: z.string(),
  name: z.string(),
  scope: z.enum(["read", "write"]),
  createdAt: z.number().int(),
  expiresAt: z.number().int(),
  lastUsedAt: z.number().int().nullable(),
});

const auditEntry = z.object({
  id: z.number().int(),
  time: z.number().int(),
  /** User, token or agent that did it. */
  actor: z.string(),
  /** `login`, `login.refused`, `alert.update`, … */
  action: z.string(),
  target: z.string(),
  detail: z.record(z.string(), z.unknown()),
  address: z.string(),
  /** SHA-256 over the entry and the hash of the one before it. */
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntry>;

const overview = z.object({
  containers: z.object({ running: z.number().int(), privileged: z.number().int() }),
  images: z.number().int(),
  nodes: z.number().int(),
  openAlerts: z.record(severity, z.number().int()),
  openFindings: z.record(severity, z.number().int()),
  exploitedFindings: z.number().int(),
  /** What fails of hosts and clusters and no exception allows; 10,000 where there are more. */
  failedChecks: z.number().int(),
  /** Workloads that run and that a policy would deny, once for each policy. */
  wouldBeDenied: z.number().int(),
  /** Alerts of the last 24 hours by hour, oldest first; 24 entries. */
  alertsByHour: z.array(z.object({ time: z.number().int(), count: z.number().int() })),
  latestAlerts: z.array(storedAlert).max(5),
  /** Images with the worst open findings that run now. */
  worstImages: z.array(imageSummary).max(5),
  /** Components that are not `ok`. */
  troubles: z.array(component),
});
export type Overview = z.infer<typeof overview>;

const clusterRow = kubeCluster.extend({
  /** Living objects by kind. */
  objects: z.record(z.string(), z.number().int()),
  /** Nodes that an agent watches, of all that are known. */
  nodes: z.object({ covered: z.number().int(), total: z.number().int() }),
});
export type ClusterRow = z.infer<typeof clusterRow>;

/** Of checks or of hosts and clusters, by what is said of them; `excepted` fail, and somebody decided that they may. */
const stateCounts = z.object({
  pass: z.number().int(),
  fail: z.number().int(),
  excepted: z.number().int(),
  unknown: z.number().int(),
  notApplicable: z.number().int(),
});
export type StateCounts = z.infer<typeof stateCounts>;
/** Passed, of what passed or failed, 0 to 1; null where neither did. */
const passRate = z.number().nullable();

const benchmarkSetRow = z.object({
  id: z.string(),
  title: z.string(),
  version: z.string(),
  of: z.enum(["host", "cluster"]),
  about: z.string(),
  checks: z.number().int(),
  /** Hosts or clusters that it is about. */
  subjects: z.number().int(),
  counts: stateCounts,
  passRate,
});
export type BenchmarkSetRow = z.infer<typeof benchmarkSetRow>;

const benchmarkSubjectRow = z.object({
  subject: benchmarkSubject,
  collectedAt: z.number().int(),
  counts: stateCounts,
  passRate,
});
export type BenchmarkSubjectRow = z.infer<typeof benchmarkSubjectRow>;

const benchmarkCheckRow = z.object({
  check: z.string(),
  /** In the set. */
  number: z.string(),
  title: z.string(),
  severity,
  level: z.number().int(),
  /** Who answers for it. */
  answers: z.enum(["platform", "customer"]),
  topic: z.string(),
  /** Clauses of other standards, by the standard. */
  clauses: z.record(z.string(), z.array(z.string())),
  /** Of hosts or clusters. */
  counts: stateCounts,
});
export type BenchmarkCheckRow = z.infer<typeof benchmarkCheckRow>;

const benchmarkCheckDetail = z.object({
  check: z.string(),
  of: z.enum(["host", "cluster"]),
  title: z.string(),
  severity,
  level: z.number().int(),
  answers: z.enum(["platform", "customer"]),
  why: z.string(),
  remedy: z.string(),
  /** `bulwark harden` can mend it. */
  mendable: z.boolean(),
  sets: z.array(z.object({ id: z.string(), title: z.string(), number: z.string() })),
  clauses: z.record(z.string(), z.array(z.string())),
  subjects: z.array(
    z.object({ subject: benchmarkSubject, state: checkState, since: z.number().int(), excepted: z.boolean() }),
  ),
  exceptions: z.array(benchmarkException),
});
export type BenchmarkCheckDetail = z.infer<typeof benchmarkCheckDetail>;

const agentIdentity = z.object({
  node: z.string(),
  cluster: z.string(),
  issuedAt: z.number().int(),
  expiresAt: z.number().int(),
  revokedAt: z.number().int().nullable(),
  /** Exact to a minute; null until it has been used. */
  seenAt: z.number().int().nullable(),
  address: z.string(),
});
export type AgentIdentity = z.infer<typeof agentIdentity>;

/** PEM texts. */
const agentCertificate = z.object({ certificate: z.string(), cluster: z.string() });

/** Every operation of the API. Paths are stable; a change that breaks a caller is a new version in the path. */
export const routes = {
  // --- who is there
  loginWithLink: {
    method: "POST",
    path: "/api/v1/session/link",
    tag: "session",
    access: "public",
    summary: "Log in with a one-time link",
    body: z.strictObject({ token: z.string().max(256) }),
    response: session,
  },
  loginWithPassword: {
    method: "POST",
    path: "/api/v1/session/password",
    tag: "session",
    access: "public",
    summary: "Log in with name and password",
    body: z.strictObject({ name: z.string().max(64), password: z.string().max(256) }),
    response: session,
  },
  getSession: {
    method: "GET",
    path: "/api/v1/session",
    tag: "session",
    access: "read",
    summary: "The session of the caller",
    response: session,
  },
  logout: {
    method: "DELETE",
    path: "/api/v1/session",
    tag: "session",
    access: "read",
    summary: "Log out",
  },
  setPassword: {
    method: "PUT",
    path: "/api/v1/session/password",
    tag: "session",
    access: "write",
    summary: "Set the caller's password, so that the next login needs no link",
    body: z.strictObject({ current: z.string().max(256).optional(), password }),
  },
  listTokens: {
    method: "GET",
    path: "/api/v1/tokens",
    tag: "session",
    access: "read",
    summary: "API tokens, without their secrets",
    response: z.object({ items: z.array(token) }),
  },
  createToken: {
    method: "POST",
    path: "/api/v1/tokens",
    tag: "session",
    access: "write",
    summary: "Make an API token; its secret is shown this once",
    body: z.strictObject({
      name: z.string().min(1).max(128),
      scope: z.enum(["read", "write"]),
      days: z.number().int().min(1).max(365),
    }),
    response: token.extend({ secret: z.string() }),
  },
  deleteToken: {
    method: "DELETE",
    path: "/api/v1/tokens/{id}",
    tag: "session",
    access: "write",
    summary: "Revoke an API token",
    params: id,
  },

  // --- what there is
  getOverview: {
    method: "GET",
    path: "/api/v1/overview",
    tag: "overview",
    access: "read",
    summary: "The state of everything at a glance",
    response: overview,
  },
  listContainers: {
    method: "GET",
    path: "/api/v1/containers",
    tag: "assets",
    access: "read",
    summary: "Containers, running ones first, latest start first",
    query: z.strictObject({
      state: z.enum(["running", "stopped"]).optional(),
      q: text,
      node: nodeId.optional(),
      privileged: z.stringbool().optional(),
      /** Uid of a pod. */
      pod: text,
      cursor,
      limit,
    }),
    response: page(container),
  },
  getContainer: {
    method: "GET",
    path: "/api/v1/containers/{id}",
    tag: "assets",
    access: "read",
    summary: "One container",
    params: id,
    response: container,
  },
  listImages: {
    method: "GET",
    path: "/api/v1/images",
    tag: "assets",
    access: "read",
    summary: "Images seen on nodes, worst first",
    query: z.strictObject({ q: text, cursor, limit }),
    response: page(imageSummary),
  },
  getImage: {
    method: "GET",
    path: "/api/v1/images/{id}",
    tag: "assets",
    access: "read",
    summary: "One image with its packages; the id is its key",
    params: id,
    response: z.object({ summary: imageSummary, report: imageReport }),
  },

  // --- clusters
  listClusters: {
    method: "GET",
    path: "/api/v1/clusters",
    tag: "kubernetes",
    access: "read",
    summary: "Clusters: version, health, how much of them agents watch",
    response: z.object({ items: z.array(clusterRow) }),
  },
  getCluster: {
    method: "GET",
    path: "/api/v1/clusters/{id}",
    tag: "kubernetes",
    access: "read",
    summary: "One cluster, and of each node whether an agent watches it, or why not; the id is its name",
    params: id,
    response: clusterRow.extend({ coverage: z.array(nodeCoverage) }),
  },
  forgetCluster: {
    method: "DELETE",
    path: "/api/v1/clusters/{id}",
    tag: "kubernetes",
    access: "write",
    summary: "Forget a cluster and its objects; one that is still configured comes back",
    params: id,
  },
  listWholeObjects: {
    method: "GET",
    path: "/api/v1/clusters/{id}/whole-objects",
    tag: "kubernetes",
    access: "write",
    summary: "Objects of a kind as the cluster's collector has told them; null for one that it has not told as a whole",
    params: id,
    query: z.strictObject({ kind: z.enum(kubeKinds), cursor, limit }),
    response: page(
      z.object({
        namespace: z.string(),
        name: z.string(),
        object: z.record(z.string(), z.unknown()).nullable(),
      }),
    ),
  },
  createAuditToken: {
    method: "POST",
    path: "/api/v1/clusters/{id}/audit-token",
    tag: "kubernetes",
    access: "write",
    summary: "Make a token with which the cluster's API server sends its audit log; it is shown this once",
    params: id,
    body: z.strictObject({ days: z.number().int().min(1).max(3650).default(365) }),
    /** `kubeconfig` is the file for `--audit-webhook-config-file`. */
    response: z.object({ secret: z.string(), expiresAt: z.number().int(), kubeconfig: z.string() }),
  },
  listKubeObjects: {
    method: "GET",
    path: "/api/v1/kubernetes/objects",
    tag: "kubernetes",
    access: "read",
    summary: "Objects of clusters by name, with what is known of their pods",
    query: z.strictObject({
      cluster: text,
      kind: text,
      namespace: text,
      /** Workloads that nothing controls. */
      workloads: z.stringbool().optional(),
      /** As of `kubectl -l`. */
      selector,
      node: text,
      /** What this object controls, however far down: `<cluster>/<uid>`. */
      owner: objectRef,
      image: z.string().max(1400).optional(),
      healthy: z.stringbool().optional(),
      deleted: z.stringbool().optional(),
      q: text,
      cursor,
      limit,
    }),
    response: page(kubeRow),
  },
  getKubeObject: {
    method: "GET",
    path: "/api/v1/kubernetes/objects/{cluster}/{uid}",
    tag: "kubernetes",
    access: "read",
    summary: "One object, living or gone",
    params: z.object({ cluster: z.string().max(128), uid: z.string().max(128) }),
    response: kubeRow,
  },
  ingestAudit: {
    method: "POST",
    path: "/api/kubernetes/v1/audit",
    tag: "kubernetes",
    access: "audit",
    summary: "Store records of an API server's audit log (audit.k8s.io/v1 EventList)",
    body: z.object({
      kind: z.literal("EventList"),
      apiVersion: z.string().max(64),
      items: z.array(z.unknown()).max(10_000),
    }),
    response: z.object({
      stored: z.number().int(),
      /** Had come before. */
      known: z.number().int(),
      /** Are no records of an audit log. */
      unreadable: z.number().int(),
    }),
  },

  // --- how it is set up
  listBenchmarks: {
    method: "GET",
    path: "/api/v1/benchmarks",
    tag: "benchmarks",
    access: "read",
    summary: "Benchmarks and how much of each holds, the hosts and clusters that were asked, and the last days",
    query: z.strictObject({ days: z.coerce.number().int().min(1).max(365).default(30) }),
    response: z.object({
      sets: z.array(benchmarkSetRow),
      subjects: z.array(benchmarkSubjectRow),
      days: z.array(
        z.object({
          time: z.number().int(),
          passed: z.number().int(),
          failed: z.number().int(),
          unknown: z.number().int(),
        }),
      ),
      exceptions: z.array(benchmarkException),
    }),
  },
  listBenchmarkChecks: {
    method: "GET",
    path: "/api/v1/benchmarks/{id}",
    tag: "benchmarks",
    access: "read",
    summary: "Checks of a benchmark with what they say, who answers for each, and clauses of other standards",
    params: id,
    response: z.object({ set: benchmarkSetRow, items: z.array(benchmarkCheckRow) }),
  },
  exportBenchmark: {
    method: "GET",
    path: "/api/v1/benchmarks/{id}/export",
    tag: "benchmarks",
    access: "read",
    summary: "Results of a benchmark with their evidence as a file",
    params: id,
    query: z.strictObject({ format: z.enum(["csv", "html", "json"]) }),
    response: z.object({ name: z.string(), type: z.string(), text: z.string() }),
  },
  getBenchmarkCheck: {
    method: "GET",
    path: "/api/v1/benchmark-checks/{id}",
    tag: "benchmarks",
    access: "read",
    summary: "One check: why, what to do, what it says of every host and cluster",
    params: id,
    response: benchmarkCheckDetail,
  },
  getBenchmarkResults: {
    method: "GET",
    path: "/api/v1/benchmark-results",
    tag: "benchmarks",
    access: "read",
    summary: "What the checks say of one host or cluster, with evidence; of one check where it is named",
    query: z.strictObject({ kind: z.enum(["host", "cluster"]), name: z.string().max(256), check: text }),
    response: z.object({
      collectedAt: z.number().int(),
      sets: z.array(z.object({ id: z.string(), title: z.string(), applies: z.boolean(), reason: z.string() })),
      results: z.array(checkResult),
    }),
  },
  createBenchmarkException: {
    method: "POST",
    path: "/api/v1/benchmark-exceptions",
    tag: "benchmarks",
    access: "write",
    summary: "Decide that a check need not hold, everywhere or of one host or cluster, until a day",
    body: z.strictObject({
      check: z.string().min(1).max(128),
      subject: benchmarkSubject.nullable(),
      reason: z.string().trim().min(1).max(2048),
      days: z.number().int().min(1).max(730),
    }),
    response: benchmarkException,
  },
  deleteBenchmarkException: {
    method: "DELETE",
    path: "/api/v1/benchmark-exceptions/{id}",
    tag: "benchmarks",
    access: "write",
    summary: "End an exception before its day",
    params: id,
  },

  // --- what happened
  listAlerts: {
    method: "GET",
    path: "/api/v1/alerts",
    tag: "alerts",
    access: "read",
    summary: "Alerts, latest first",
    query: z.strictObject({
      severity: severityList,
      state: alertState.optional(),
      rule: text,
      container: text,
      /** Alerts of this object's pods: `<cluster>/<uid>`. */
      object: objectRef,
      q: text,
      since: milliseconds,
      until: milliseconds,
      cursor,
      limit,
    }),
    response: page(storedAlert),
  },
  getAlert: {
    method: "GET",
    path: "/api/v1/alerts/{id}",
    tag: "alerts",
    access: "read",
    summary: "One alert",
    params: id,
    response: storedAlert,
  },
  updateAlert: {
    method: "PATCH",
    path: "/api/v1/alerts/{id}",
    tag: "alerts",
    access: "write",
    summary: "Acknowledge, close or reopen an alert",
    params: id,
    body: z.strictObject({ state: alertState, comment: z.string().max(4096).optional() }),
    response: storedAlert,
  },
  getRuleText: {
    method: "GET",
    path: "/api/v1/rules/{id}",
    tag: "alerts",
    access: "read",
    summary:
      "A rule as it is written; the id is the rule's. Null where a detector raises it, which is code, and where no agent has told it",
    params: id,
    /** Of an alert: a node may have rules of its own. */
    query: z.strictObject({ node: nodeId.optional() }),
    response: z.object({
      rule: ruleText
        .extend({
          /** Where it was another before: since when the node has run it as it is; compare with the time of an alert. */
          changedAt: z.number().int().nullable(),
        })
        .nullable(),
    }),
  },
  createException: {
    method: "POST",
    path: "/api/v1/exceptions",
    tag: "alerts",
    access: "write",
    summary: "Raise no alerts of a rule for a scope until a day; agents have it within seconds",
    body: alertException.omit({ id: true, owner: true, createdAt: true }),
    response: alertException,
  },
  deleteException: {
    method: "DELETE",
    path: "/api/v1/exceptions/{id}",
    tag: "alerts",
    access: "write",
    summary: "End an exception",
    params: id,
  },

  // --- what is done about it
  listActions: {
    method: "GET",
    path: "/api/v1/actions",
    tag: "actions",
    access: "read",
    summary: "Actions and what became of them, latest first",
    query: z.strictObject({
      alert: text,
      container: text,
      /** Id of a workload's quarantine: the actions that carry it out. */
      quarantine: text,
      cursor,
      limit,
    }),
    response: page(actionRecord),
  },
  orderAction: {
    method: "POST",
    path: "/api/v1/actions",
    tag: "actions",
    access: "write",
    summary: "Order an action on a container, or ask what it would do; the node's agent answers within seconds",
    body: z.strictObject({
      container: z.string().min(1).max(256),
      alert: z.string().max(256).nullable().default(null),
      action,
      reason: z.string().min(1).max(1024),
      dryRun: z.boolean(),
    }),
    response: actionRecord,
  },
  getAction: {
    method: "GET",
    path: "/api/v1/actions/{id}",
    tag: "actions",
    access: "read",
    summary: "One action",
    params: id,
    response: actionRecord,
  },
  undoAction: {
    method: "POST",
    path: "/api/v1/actions/{id}/undo",
    tag: "actions",
    access: "write",
    summary: "Order that an action is undone",
    params: id,
    response: actionRecord,
  },
  listWorkloadQuarantines: {
    method: "GET",
    path: "/api/v1/workload-quarantines",
    tag: "actions",
    access: "read",
    summary: "Workloads that are cut from the network now; their containers each have an action",
    query: z.strictObject({ cluster: text }),
    response: z.object({ items: z.array(workloadQuarantine) }),
  },
  quarantineWorkload: {
    method: "POST",
    path: "/api/v1/workload-quarantines",
    tag: "actions",
    access: "write",
    summary:
      "Cut all containers of a workload from the network, on all nodes and those that come later, or ask what it would do",
    body: workloadQuarantineWish.extend({ dryRun: z.boolean() }),
    response: z.object({
      /** Null of a dry run. */
      quarantine: workloadQuarantine.nullable(),
      /** Of a dry run: one for each container that runs now, answered by its node within seconds. */
      tries: z.array(actionRecord),
      /** Containers of it that run now. */
      containers: z.number().int(),
    }),
  },
  undoWorkloadQuarantine: {
    method: "POST",
    path: "/api/v1/workload-quarantines/{id}/undo",
    tag: "actions",
    access: "write",
    summary: "End a quarantine of a workload on all nodes",
    params: id,
    response: workloadQuarantine,
  },
  setResponsePolicy: {
    method: "PUT",
    path: "/api/v1/response-policies/{id}",
    tag: "actions",
    access: "write",
    summary: "Say what may be done in a scope, and what is done by itself",
    params: id,
    body: responsePolicy.omit({ id: true }),
    response: responsePolicy,
  },
  deleteResponsePolicy: {
    method: "DELETE",
    path: "/api/v1/response-policies/{id}",
    tag: "actions",
    access: "write",
    summary: "Allow it no longer; what is done already lasts until its time is over or it is undone",
    params: id,
  },
  listEvents: {
    method: "GET",
    path: "/api/v1/events",
    tag: "events",
    access: "read",
    summary: "Events, latest first",
    query: z.strictObject({
      kind: z.enum(eventKinds).optional(),
      container: text,
      q: text,
      since: milliseconds,
      until: milliseconds,
      cursor,
      limit,
    }),
    response: page(event),
  },

  // --- what is weak
  ...findingRoutes,
  ...policyRoutes,
  ...scanRoutes,
  ...registryRoutes,

  // --- who talks to whom
  ...networkRoutes,

  // --- how Bulwark is
  getHealth: {
    method: "GET",
    path: "/api/v1/health",
    tag: "operations",
    access: "read",
    summary: "Every part of Bulwark: what is on, what is off, why, and what would turn it on",
    response: z.object({ version: z.string(), components: z.array(component) }),
  },
  listAudit: {
    method: "GET",
    path: "/api/v1/audit",
    tag: "operations",
    access: "read",
    summary: "The audit log, latest first",
    query: z.strictObject({ cursor, limit }),
    response: page(auditEntry),
  },

  // --- agents
  listAgents: {
    method: "GET",
    path: "/api/v1/agents",
    tag: "agents",
    access: "read",
    summary: "Agents of other machines, by cluster and node, with what is known of their certificates",
    response: z.object({ items: z.array(agentIdentity) }),
  },
  revokeAgent: {
    method: "DELETE",
    path: "/api/v1/agents/{id}",
    tag: "agents",
    access: "write",
    summary:
      "Revoke every certificate of a node's agent, from now on; the id is the node, `CLUSTER/NODE` where its cluster is not `default`",
    params: id,
  },
  createJoinToken: {
    method: "POST",
    path: "/api/v1/join-tokens",
    tag: "agents",
    access: "write",
    summary: "Make a token with which agents join; it is shown this once",
    body: z.strictObject({
      /** Good for this node once, even where the node has an agent. Absent: for every node that has none. */
      node: nodeName.optional(),
      cluster: clusterName.default("default"),
      hours: z.number().int().min(1).max(8760).default(24),
    }),
    response: z.object({ token: z.string(), expiresAt: z.number().int() }),
  },
  getAgentSettings: {
    method: "GET",
    path: "/api/v1/agent-settings",
    tag: "agents",
    access: "read",
    summary: "What every agent is told",
    response: agentSettings,
  },
  setAgentSettings: {
    method: "PUT",
    path: "/api/v1/agent-settings",
    tag: "agents",
    access: "write",
    summary: "Tell every agent; each has it within seconds",
    body: agentSettings.pick({ disabledRules: true }),
    response: agentSettings,
  },
  enrol: {
    method: "POST",
    path: "/api/agent/v1/enrol",
    tag: "identity",
    access: "public",
    summary: "Exchange a join token and a request (PKCS #10) for a node's client certificate",
    body: z.strictObject({ token: z.string().max(8192), node: agentName, request: z.string().max(8192) }),
    response: agentCertificate,
  },
  renewCertificate: {
    method: "POST",
    path: "/api/agent/v1/certificate",
    tag: "identity",
    access: "agent",
    summary: "A further certificate for the node that asks with the one it has",
    body: z.strictObject({ request: z.string().max(8192) }),
    response: agentCertificate,
  },
  readAgentSettings: {
    method: "GET",
    path: "/api/agent/v1/settings",
    tag: "agent",
    access: "agent",
    summary: "What every agent is told, for agents",
    response: agentSettings,
  },
  ingest: {
    method: "POST",
    path: "/api/agent/v1/records",
    tag: "agent",
    access: "agent",
    summary: "Store a batch of records; answered when they are on disk",
    body: batch,
    /** Highest number of this spool that is on disk: the agent may forget it and everything before it. */
    response: z.object({
      stored: z.number().int(),
      /** Revision of the agents' settings: another one than the agent has is to be fetched. */
      settings: z.number().int(),
    }),
  },
  takeOrders: {
    method: "POST",
    path: "/api/agent/v1/orders",
    tag: "agent",
    access: "agent",
    summary: "What the node's agent is to do; waits some seconds for something to come",
    body: z.strictObject({
      /** Orders that it has taken: they are not given again. */
      taken: z.array(z.string().max(64)).max(1000),
    }),
    /** `settings`: the revision that agents are told of. */
    response: z.object({ orders: z.array(actionOrder), settings: z.number().int() }),
  },
  putCluster: {
    method: "POST",
    path: "/api/agent/v1/cluster",
    tag: "agent",
    access: "agent",
    summary: "Store changes of a cluster's objects, and how well they are known; one collector at a time",
    body: clusterReport,
    response: z.object({
      /** How many objects are now others than before. */
      changed: z.number().int(),
      /** False where nothing is known of the cluster, or no longer: all of it is to be told. */
      known: z.boolean(),
    }),
  },
} as const satisfies Record<string, Route>;

export type Routes = typeof routes;
export type RouteName = keyof Routes;

/** A message of `GET /api/v1/stream` (server-sent events; `id` resumes after a cut). The `event:` line is the topic. */
export const streamTopics = [
  "alert",
  "repeats",
  "container",
  "image",
  "finding",
  "health",
  "cluster",
  "action",
  "network",
] as const;
export type StreamTopic = (typeof streamTopics)[number];

/** Body of every answer that is not 2xx. */
export const problem = z.object({
  /**
   * Stable word: `unauthenticated`, `forbidden`, `invalid`, `not-found`, `too-many`, `conflict`, `full`,
   * `unavailable`, `internal`.
   */
  code: z.string(),
  message: z.string(),
  remedy: z.string().optional(),
});
export type Problem = z.infer<typeof problem>;
