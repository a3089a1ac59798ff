/** Bulwark on a cluster of the tests as a person installs it: images in its registry, one chart, a link to log in. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "@bulwark/contract";
import { eventually, run } from "@bulwark/testkit";
import { keptImages } from "../../deploy/images/kept.ts";
import type { Cluster, ClusterNode } from "../cluster/cluster.ts";
import { login } from "../product.ts";

export const chart = join(import.meta.dirname, "../../deploy/helm/bulwark");
const config = ["--config", "/etc/bulwark/config/bulwark.yaml"];

export interface Installed {
  readonly namespace: string;
  /** The console, by the address of its service. */
  readonly url: string;
  /** A new one-time link, from the first server. */
  loginLink(): string;
  api(): Promise<Client>;
  /** One server by its own address. */
  replica(index: number): Replica;
  /** With other values, besides those that it has; waits until all of it runs. */
  upgrade(values: object): void;
  uninstall(): void;
}

export interface Replica {
  readonly pod: string;
  readonly url: string;
  loginLink(): string;
  api(): Promise<Client>;
}

/** Builds both images and pushes them to the cluster's registry. */
export function pushImages({ registry }: Cluster): void {
  for (const { archive, reference } of Object.values(keptImages())) {
    const target = `docker://${registry.address}/${reference}`;
    run("skopeo", ["copy", "--quiet", "--dest-tls-verify=false", `oci-archive:${archive}`, target]);
  }
}

/** Installs the chart as release `bulwark` and waits until server and agents run. */
export function install(cluster: Cluster, values: object = {}, namespace = "bulwark"): Installed {
  const file = join(cluster.folder, "values.json");
  const helm = (verb: string, given: object, ...flags: string[]): void => {
    writeFileSync(file, JSON.stringify(given));
    cluster.helm(verb, "bulwark", chart, "--namespace", namespace, "--values", file, ...flags);
    for (const name of ["statefulset/bulwark-server", "daemonset/bulwark-agent"]) rollout(cluster, namespace, name);
  };
  helm("install", { image: { registry: cluster.registry.name }, ...values }, "--create-namespace");
  const service = cluster.get("service", "bulwark", namespace) as { spec: { clusterIP: string } };
  const at = (url: string, pod: string): Pick<Replica, "api" | "loginLink" | "url"> => {
    const loginLink = (): string => {
      const link = cluster.kubectl("exec", "-n", namespace, pod, "--", "bulwark", "login", ...config).trim();
      return `${url}/login${new URL(link).hash}`;
    };
    return { url, loginLink, api: async () => login(url, loginLink()) };
  };
  return {
    namespace,
    ...at(`http://${service.spec.clusterIP}`, "bulwark-server-0"),
    replica(index) {
      const pod = `bulwark-server-${index}`;
      const { status } = cluster.get("pod", pod, namespace) as { status: { podIP: string } };
      return { pod, ...at(`http://${status.podIP}:8443`, pod) };
    },
    upgrade: (more) => helm("upgrade", more, "--reuse-values"),
    uninstall: () => void cluster.helm("uninstall", "bulwark", "--namespace", namespace, "--wait"),
  };
}

/** Waits until all pods of a workload are those of its present template, and ready. */
export function rollout(cluster: Cluster, namespace: string, workload: string): void {
  try {
    cluster.kubectl("rollout", "status", "-n", namespace, workload, "--timeout=110s");
  } catch (error) {
    const asked = [
      ["get", "pods", "-o", "wide"],
      ["get", "events", "--field-selector=type=Warning"],
      ["logs", workload, "--tail=40"],
    ];
    const said = asked.map(([verb = "", ...rest]) => {
      try {
        return cluster.kubectl(verb, "-n", namespace, ...rest);
      } catch (failure) {
        return String(failure);
      }
    });
    throw new Error(`${workload} is not ready\n${said.join("\n")}`, { cause: error });
  }
}

/** Every object of the cluster, as `Kind namespace/name`, but events. */
export function objectsOf({ kubectl }: Cluster): Set<string> {
  const kinds = kubectl("api-resources", "--verbs=list", "-o", "name").trim().split("\n");
  const asked = kinds.filter((kind) => !/^events(\.|$)/.test(kind)).join(",");
  const line = '{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
  return new Set(kubectl("get", asked, "-A", "-o", `jsonpath=${line}`).trim().split("\n"));
}

/** Every node's agent has joined, and all of its parts that a cluster of the tests allows are well. */
export async function agentsWatch(
  api: Client,
  nodes: readonly Pick<ClusterNode, "name">[],
  { timeout = 60_000, since = 0 }: { timeout?: number; since?: number } = {},
): Promise<void> {
  const needed = ["agent", "sensor", "kubernetes", "runtime:containerd"];
  await eventually(
    "every agent watches its node",
    async () => {
      const { components } = await api.getHealth();
      const lacking = nodes.flatMap(({ name }) =>
        needed
          .map((id) => ({
            id,
            found: components.find((part) => part.node === name && part.id === id && part.updatedAt >= since),
          }))
          .filter(({ found }) => found?.state !== "ok")
          .map(({ id, found }) => `${name} ${id}: ${found ? `${found.state}, ${found.reason}` : "not heard of"}`),
      );
      if (lacking.length > 0) throw new Error(lacking.join("; "));
      return true;
    },
    timeout,
  );
}

/** A listener in the pod, and a shell that connects to it. */
export const reverseShell =
  "(sleep 3 | nc -lp 4444 >/dev/null 2>&1 &); sleep 1; nc 127.0.0.1 4444 -e /bin/sh >/dev/null 2>&1 & sleep 1; true";

/** Runs a command in a running container by its runtime, as if the API server were not there. */
export function execOnNode(node: ClusterNode, container: string, command: string): void {
  const id = `exec-${process.hrtime.bigint()}`;
  // In the node's mount namespace: containerd and its client meet in pipes below /run.
  const ctr = [`--mount=${node.mounts}`, "ctr", "--namespace", "k8s.io", "tasks", "exec", "--exec-id", id];
  run("nsenter", [...ctr, container, "sh", "-c", command]);
}

interface Pod {
  metadata: { name: string; uid: string; labels: Record<string, string> };
  spec: { nodeName: string };
  status: { containerStatuses: { containerID: string }[] };
}

/** The one running pod that a label selects. */
export function podOf(cluster: Cluster, namespace: string, label: string) {
  const [pod, ...others] = podsOf(cluster, namespace, label);
  if (!pod || others.length > 0) throw new Error(`${pod ? 1 + others.length : 0} pods with ${label}`);
  return pod;
}

/** The running pods that a label selects. */
export function podsOf(cluster: Cluster, namespace: string, label: string) {
  const found = JSON.parse(
    cluster.kubectl("get", "pods", "-n", namespace, "-l", label, "--field-selector=status.phase=Running", "-o", "json"),
  ) as { items: Pod[] };
  return found.items.map((pod) => {
    const node = cluster.nodes.find(({ name }) => name === pod.spec.nodeName);
    if (!node) throw new Error(`no node ${pod.spec.nodeName}`);
    const container = pod.status.containerStatuses[0]?.containerID.replace("containerd://", "") ?? "";
    return { name: pod.metadata.name, uid: pod.metadata.uid, node, container };
  });
}

interface RestartedPod {
  metadata: { name: string };
  status: { containerStatuses?: { restartCount: number; lastState: object }[] };
}

/** Raises an error with the last words of every container of Bulwark that has ended and was started again. */
export function noneRestarted(cluster: Cluster, namespace: string): void {
  const { items } = JSON.parse(cluster.kubectl("get", "pods", "-n", namespace, "-o", "json")) as {
    items: RestartedPod[];
  };
  const told = items.flatMap(({ metadata: { name }, status }) =>
    (status.containerStatuses ?? [])
      .filter(({ restartCount }) => restartCount > 0)
      .map(({ restartCount, lastState }) => {
        const words = cluster.kubectl("logs", "-n", namespace, name, "--previous", "--tail=40");
        return `${name} was started again ${restartCount} times: ${JSON.stringify(lastState)}\n${words}`;
      }),
  );
  if (told.length > 0) throw new Error(told.join("\n"));
}
