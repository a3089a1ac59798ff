import { z } from "zod";
import { nodeId } from "./agent.ts";
import { podMetadata } from "./kubernetes.ts";

export const runtimeKinds = ["containerd", "docker", "cri-o", "podman", "runc", "crun"] as const;
export const runtimeKind = z.enum(runtimeKinds);
export type RuntimeKind = z.infer<typeof runtimeKind>;
/** `unknown`: another tool told of the container, and not which runtime it is of. */
const toldRuntime = z.enum([...runtimeKinds, "unknown"]);

const label = z.record(z.string().max(512), z.string().max(65_536));

export const mount = z.strictObject({
  source: z.string().max(4096),
  target: z.string().max(4096),
  type: z.string().max(64),
  readOnly: z.boolean(),
});
export type Mount = z.infer<typeof mount>;

/** A running or recently stopped container, as its runtime tells of it. What the runtime does not say is null. */
export const container = z.strictObject({
  /** Id as the runtime gives it. Unique together with `node` and `runtime`. */
  id: z.string().min(1).max(256),
  node: nodeId,
  runtime: toldRuntime,
  /** containerd's namespace (`k8s.io`, `moby`, `default`); empty elsewhere. */
  runtimeNamespace: z.string().max(256),
  name: z.string().max(512),
  image: z.strictObject({
    /** As it was asked for: `docker.io/library/nginx:1.27`. */
    name: z.string().max(1024),
    /** `sha256:…` of the manifest or configuration, as the runtime names the image. */
    digest: z.string().max(128).nullable(),
  }),
  labels: label,
  /** Kubernetes' names where the container belongs to a pod. */
  pod: z
    .strictObject({
      name: z.string().max(256),
      namespace: z.string().max(256),
      uid: z.string().max(128),
      /** Name of the container inside the pod. */
      container: z.string().max(256),
      /** Absent where the API server had not told of the pod: it is not known then. */
      metadata: podMetadata.optional(),
    })
    .nullable(),
  state: z.enum(["created", "running", "paused", "stopped"]),
  /** Milliseconds since the epoch. */
  startedAt: z.number().int().nullable(),
  finishedAt: z.number().int().nullable(),
  /** Process id of the first process, seen from the host; null when it does not run. */
  pid: z.number().int().positive().nullable(),
  /** Root file system as the host sees it; null where it cannot be told. */
  rootfs: z.string().max(4096).nullable(),
  mounts: z.array(mount).max(4096),
  /** Effective capabilities of the first process, `CAP_…`. */
  capabilities: z.array(z.string().max(64)).max(64),
  privileged: z.boolean(),
  /** Namespaces that the container shares with the host. */
  hostNamespaces: z.array(z.enum(["pid", "net", "ipc", "uts", "mnt", "user", "cgroup"])).max(7),
});
export type Container = z.infer<typeof container>;

/** What events and alerts carry of a container: its identity *at that time*, never looked up again later. */
export const containerRef = z.strictObject({
  id: container.shape.id,
  name: container.shape.name,
  runtime: toldRuntime,
  image: container.shape.image,
  pod: container.shape.pod,
  labels: label,
});
export type ContainerRef = z.infer<typeof containerRef>;
