import { resources, type Kube, type Resource } from "@bulwark/kube";

export interface Crowd {
  nodes: number;
  namespaces: number;
  /** Of one namespace, each with its ReplicaSet. */
  deployments: number;
  /** Of one Deployment. */
  pods: number;
}

/** Requests under way at a time. */
const abreast = 24;

/**
 * Objects of a busy cluster, of the size that they have in life, without one machine behind them: written into the API
 * server as controllers and kubelets would write them. Nothing may look after them (no controller manager runs).
 */
export async function makeCrowd(kube: Kube, { nodes, namespaces, deployments, pods }: Crowd): Promise<number> {
  await each(range(nodes), async (n) => {
    await kube.create(resources.nodes, nodeOf(n));
    await kube.patch(resources.nodes, `fake-${n}`, nodeStatus(n), { subresource: "status" });
  });
  await each(range(namespaces), async (n) => {
    const namespace = `team-${n}`;
    await kube.create(resources.namespaces, { metadata: { name: namespace, labels: { team: String(n % 7) } } });
    await kube.create(resources.serviceAccounts, { metadata: { name: "default", namespace } });
  });
  const workloads = range(namespaces).flatMap((n) => range(deployments).map((d) => ({ n, d })));
  const sets = new Map<string, object>();
  await each(workloads, async ({ n, d }) => {
    const namespace = `team-${n}`;
    const deployment = await kube.create(resources.deployments, workloadOf(resources.deployments, n, d, pods));
    const set = workloadOf(resources.replicaSets, n, d, pods, [ownerOf(resources.deployments, deployment.metadata)]);
    const made = await kube.create(resources.replicaSets, set);
    sets.set(`${namespace}/${d}`, ownerOf(resources.replicaSets, made.metadata));
    await kube.create(resources.services, serviceOf(n, d));
  });
  const all = workloads.flatMap(({ n, d }) => range(pods).map((p) => ({ n, d, p })));
  await each(all, async ({ n, d, p }) => {
    const index = (n * deployments + d) * pods + p;
    const node = `fake-${index % nodes}`;
    const pod = podOf(n, d, p, node, sets.get(`team-${n}/${d}`) ?? {});
    await kube.create(resources.pods, pod);
    const place = { namespace: `team-${n}`, subresource: "status" };
    await kube.patch(resources.pods, pod.metadata.name, podStatus(index), place);
  });
  return all.length;
}

/** A pod as the API server would tell of it, where there is none: the `index`th, of 100 nodes and 20 namespaces. */
export function pod(index: number): { metadata: Metadata & { [field: string]: unknown }; [field: string]: unknown } {
  const d = index % 10;
  const owner = { ...ownerOf(resources.replicaSets, { name: `app-${d}-7d4b9c`, uid: `set-${index % 200}` }) };
  const made = podOf(index % 20, d, index, `fake-${index % 100}`, owner);
  const uid = `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;
  return {
    ...{ kind: "Pod", apiVersion: "v1", ...made, ...podStatus(index) },
    metadata: { ...made.metadata, uid, creationTimestamp: "2026-01-01T00:00:00Z" },
  };
}

/** Does it for all, some at a time. */
export async function each<T>(items: readonly T[], once: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) await once(items[index] as T);
  };
  await Promise.all(range(abreast).map(worker));
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function nodeOf(n: number): object {
  const labels = { "kubernetes.io/arch": "amd64", "topology.kubernetes.io/zone": `zone-${n % 3}` };
  return { metadata: { name: `fake-${n}`, labels }, spec: { podCIDR: `10.200.${n}.0/24` } };
}

function nodeStatus(n: number): object {
  const times = { lastHeartbeatTime: new Date(), lastTransitionTime: new Date() };
  const nodeInfo = {
    ...{ kubeletVersion: "v1.36.3", kubeProxyVersion: "v1.36.3", containerRuntimeVersion: "containerd://2.1.4" },
    ...{ osImage: "Debian GNU/Linux 12 (bookworm)", kernelVersion: "6.18.0", operatingSystem: "linux" },
    ...{ architecture: "amd64", bootID: `boot-${n}`, machineID: `machine-${n}`, systemUUID: `system-${n}` },
  };
  return {
    status: {
      addresses: [{ type: "InternalIP", address: `10.100.0.${n % 250}` }],
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is ready", ...times }],
      nodeInfo,
    },
  };
}

interface Metadata {
  name: string;
  uid: string;
}

function ownerOf({ apiVersion, kind }: Resource, { name, uid }: Metadata): object {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function labelsOf(n: number, d: number): Record<string, string> {
  const instance = `app-${d}`;
  return { app: instance, "app.kubernetes.io/instance": instance, "app.kubernetes.io/part-of": `team-${n}` };
}

function workloadOf({ kind }: Resource, n: number, d: number, replicas: number, ownerReferences: object[] = []) {
  const name = kind === "Deployment" ? `app-${d}` : `app-${d}-7d4b9c`;
  const labels = labelsOf(n, d);
  const template = { metadata: { labels }, spec: { containers: [containerOf(d)] } };
  return {
    metadata: { name, namespace: `team-${n}`, labels, ownerReferences },
    spec: { replicas, selector: { matchLabels: { app: labels["app"] } }, template },
  };
}

function serviceOf(n: number, d: number): object {
  const metadata = { name: `app-${d}`, namespace: `team-${n}`, labels: labelsOf(n, d) };
  return { metadata, spec: { clusterIP: "None", selector: { app: `app-${d}` }, ports: [{ port: 80 }] } };
}

function containerOf(d: number): object {
  const env = range(12).map((index) => ({
    name: `SETTING_${index}`,
    value: `a value of some length, number ${index}`,
  }));
  const probe = { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 10 };
  return {
    name: "main",
    image: `registry.example/shop/app-${d}:1.${d}`,
    ports: [{ containerPort: 8080 }],
    env,
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    ...{ livenessProbe: probe, readinessProbe: probe },
    securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
}

function podOf(n: number, d: number, p: number, nodeName: string, owner: object) {
  const annotations = { "example.com/checksum": "c0ffee".repeat(10), "prometheus.io/scrape": "true" };
  const labels = { ...labelsOf(n, d), "pod-template-hash": "7d4b9c", track: "stable" };
  const name = `app-${d}-7d4b9c-${p.toString(36).padStart(5, "0")}`;
  return {
    metadata: { name, namespace: `team-${n}`, labels, annotations, ownerReferences: [owner] },
    spec: { nodeName, automountServiceAccountToken: false, containers: [containerOf(d)] },
  };
}

function podStatus(index: number): object {
  const id = index.toString(16).padStart(64, "0");
  const at = new Date().toISOString();
  const conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
    ...{ type, status: "True", lastTransitionTime: at },
  }));
  const image = `registry.example/shop/app@sha256:${id}`;
  const state = { running: { startedAt: at } };
  const container = { name: "main", ready: true, started: true, restartCount: 0, image, imageID: image, state };
  const podIP = `10.${200 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  return {
    status: {
      ...{ phase: "Running", conditions, podIP, podIPs: [{ ip: podIP }], startTime: at, qosClass: "Burstable" },
      containerStatuses: [{ ...container, containerID: `containerd://${id}` }],
    },
  };
}
