import { z } from "zod";
import { severity } from "./severity.ts";

const name = z.string().max(256);
const uid = z.string().max(128);
const label = z.record(z.string().max(512), z.string().max(65_536));

/** The object that controls another: one of the chain Pod → ReplicaSet → Deployment. */
export const ownerRef = z.strictObject({ kind: z.string().max(128), apiVersion: z.string().max(256), name, uid });
export type OwnerRef = z.infer<typeof ownerRef>;

/** What a container's pod was when it was looked at. Taken from the API server, never guessed from names. */
export const podMetadata = z.strictObject({
  labels: label,
  /** Who controls it, nearest first; the last one is the workload. Empty where nobody does. */
  owners: z.array(ownerRef).max(8),
  serviceAccount: name,
});
export type PodMetadata = z.infer<typeof podMetadata>;

/** What is known of a cluster. */
export const kubeKinds = [
  "Namespace",
  "Node",
  "Pod",
  "Deployment",
  "ReplicaSet",
  "StatefulSet",
  "DaemonSet",
  "ReplicationController",
  "Job",
  "CronJob",
  "Service",
  "Ingress",
  "ServiceAccount",
  "Role",
  "RoleBinding",
  "ClusterRole",
  "ClusterRoleBinding",
  "NetworkPolicy",
  "ResourceQuota",
  "LimitRange",
  "PodDisruptionBudget",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
] as const;
export type KubeKind = (typeof kubeKinds)[number];

/** What runs pods, or is one. A workload of another kind is known by those that it controls. */
export const workloadKinds: readonly string[] = [
  "Pod",
  "Deployment",
  "ReplicaSet",
  "StatefulSet",
  "DaemonSet",
  "ReplicationController",
  "Job",
  "CronJob",
] satisfies KubeKind[];

export const kubeContainer = z.strictObject({
  name,
  image: z.string().max(1024),
  /** `sha256:…` that runs; null until it does. */
  digest: z.string().max(128).nullable(),
  /** As the runtime names it: the id of the container among Bulwark's own; null until it is made. */
  id: name.nullable(),
  init: z.boolean(),
  state: z.enum(["waiting", "running", "terminated"]),
  /** `CrashLoopBackOff`, `OOMKilled`. */
  reason: name,
  restarts: z.number().int(),
});
export type KubeContainer = z.infer<typeof kubeContainer>;

/** One line of what an object says of itself: `replicas` → `2/3`. `key` is a stable word that the console translates. */
export const kubeFact = z.strictObject({ key: z.string().max(64), value: z.string().max(1024) });
export type KubeFact = z.infer<typeof kubeFact>;

/** An object of a cluster, cut down to what is shown and searched. */
export const kubeObject = z.strictObject({
  /** Name of the cluster in Bulwark. */
  cluster: z.string().max(128),
  /** A name that is used again is another object: this tells them apart. */
  uid,
  kind: z.string().max(128),
  /** `apps/v1`, `v1`. */
  apiVersion: z.string().max(256),
  /** Empty for what belongs to no namespace. */
  namespace: name,
  name,
  labels: label,
  owner: ownerRef.nullable(),
  /** Of a pod: where it runs; null until it is scheduled. */
  node: name.nullable(),
  /** One word: `Running`, `CrashLoopBackOff`, `Ready`, `NotReady`, `2/3`. */
  status: z.string().max(256),
  /** False when `status` is one that a person should look at. */
  healthy: z.boolean(),
  facts: z.array(kubeFact).max(64),
  /** Of a pod. */
  containers: z.array(kubeContainer).max(256),
  createdAt: z.number().int(),
});
export type KubeObject = z.infer<typeof kubeObject>;

/** An object as the server keeps it. */
export const storedKubeObject = kubeObject.extend({
  /** When Bulwark saw it first and last; one that lives is seen whenever its cluster is. */
  firstSeen: z.number().int(),
  lastSeen: z.number().int(),
  deletedAt: z.number().int().nullable(),
  /** It is known only because something names it as its owner. */
  byReference: z.boolean(),
});
export type StoredKubeObject = z.infer<typeof storedKubeObject>;

export const clusterState = z.enum(["ok", "degraded", "failed", "off"]);

/** What Bulwark knows of the pods of an object: those that it controls, those of a namespace or of a node. */
export const kubeKnown = z.strictObject({
  pods: z.number().int(),
  runningContainers: z.number().int(),
  /** Open ones by severity; those of pods that have gone are among them. */
  alerts: z.record(severity, z.number().int()),
  /** Open ones of the images that run, each image once. */
  findings: z.record(severity, z.number().int()),
});
export type KubeKnown = z.infer<typeof kubeKnown>;

/** A row of a list of objects. */
export const kubeRow = storedKubeObject.extend({
  /** Who controls it, nearest first; the last one is the workload. */
  owners: z.array(ownerRef).max(8),
  known: kubeKnown,
});
export type KubeRow = z.infer<typeof kubeRow>;

/** Characters of a whole object; Kubernetes itself keeps up to 1.5 MB, almost all of them are far smaller. */
export const mostManifest = 262_144;

/**
 * What happened to an object of a cluster. A uid names one object for good, so that a change that comes twice does no
 * harm; their order matters.
 */
export const kubeChange = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("put"),
    object: kubeObject,
    /** The whole object as JSON, of a cluster that the server cannot read. Absent: as before; null: it is not told. */
    manifest: z.string().max(mostManifest).nullable().optional(),
  }),
  z.strictObject({ type: z.literal("delete"), uid }),
  /** Every object of this kind that lives: what is not in it has gone. */
  z.strictObject({ type: z.literal("list"), kind: z.string().max(128), uids: z.array(uid).max(1_000_000) }),
]);
export type KubeChange = z.infer<typeof kubeChange>;

/** How well a cluster is known, as whoever reads it says. */
export const kubeStatus = z.strictObject({
  /** Of its namespace kube-system, which names a cluster for good; empty until it has been reached. */
  uid,
  /** `v1.36.3`; empty until it has been reached. */
  version: z.string().max(64),
  state: clusterState,
  /** Why it is not ok, and what would mend it. */
  reason: z.string().max(2048),
  remedy: z.string().max(2048),
  /** When the inventory was last known to be complete; null until it was. */
  syncedAt: z.number().int().nullable(),
  /** `relists`, `errors`, `written`, `dropped`. */
  counters: z.record(z.string().max(128), z.number()),
});
export type KubeStatus = z.infer<typeof kubeStatus>;

/** What a collector sends of its cluster. */
export const clusterReport = z.strictObject({
  /** Another one with each start: two of them do not write at a time. */
  session: z.string().min(1).max(64),
  changes: z.array(kubeChange).max(5000),
  status: kubeStatus.optional(),
  /** It ends: another one need not wait until this one has been silent for long. */
  leaving: z.boolean().optional(),
});
export type ClusterReport = z.infer<typeof clusterReport>;

/** A cluster and how well Bulwark knows it. */
export const kubeCluster = kubeStatus.extend({ name: z.string().max(128), updatedAt: z.number().int() });
export type KubeCluster = z.infer<typeof kubeCluster>;

/**
 * Whether an agent watches a node, and why not.
 * - `no-pod`: no pod of the agent's DaemonSet is on the node
 * - `not-ready`: the pod is there and does not run
 * - `never-joined`: it runs, and nothing has been heard from it
 * - `silent`: it was heard, but not lately
 * - `version`: it is of another version than the server
 */
export const coverageStates = ["covered", "no-pod", "not-ready", "never-joined", "silent", "version"] as const;
export const nodeCoverage = z.strictObject({
  node: name,
  /** Of the object of the node. */
  uid,
  state: z.enum(coverageStates),
  /** One line of what was seen: `CrashLoopBackOff`, `0.1.0, server 0.2.0`. */
  detail: z.string().max(1024),
  /** Of the agent; empty where it is not known. */
  version: z.string().max(64),
  heardAt: z.number().int().nullable(),
});
export type NodeCoverage = z.infer<typeof nodeCoverage>;
