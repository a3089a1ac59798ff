import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { eventually, makeImage, makeRootfs, run, unmountBelow } from "@bulwark/testkit";
import { createAuthority } from "./certificates.ts";
import { prepareControlPlane, registryName, registryPort, type ControlPlaneOptions } from "./control-plane.ts";
import { controlPlaneAddress, createNetwork, deleteNetwork, freeBlock, setLink, type Network } from "./network.ts";
import {
  createCgroups,
  createMounts,
  deleteCgroups,
  nodeOf,
  pauseImage,
  podProcesses,
  prepareNode,
  processesOf,
} from "./node.ts";
import type { ClusterNode } from "./node.ts";
import { isRunning, kill, start, startTimeOf, stop, type Command, type Process } from "./processes.ts";
import { buildPrograms, type Programs } from "./programs.ts";

export type { ClusterNode } from "./node.ts";

/** In every cluster, with `sh` and the applets of busybox. */
export const busyboxImage = "registry.test/busybox:1";

export interface ClusterOptions extends ControlPlaneOptions {
  /** Worker nodes; 2 unless told. */
  nodes?: number;
  /** Kept after this process has ended, until `openCluster(name)` deletes it. Without a name it ends with the caller. */
  name?: string;
  say?: (text: string) => void;
}

export interface Cluster extends AsyncDisposable {
  readonly folder: string;
  /** URL of the API server, reached from here too. */
  readonly server: string;
  /** Of a member of system:masters. */
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
  readonly network: Network;
  readonly programs: Programs;
  /** The API server's audit log: one JSON object a line. */
  readonly auditLog: string;
  /** `name` is the host in image references on the nodes; `address` is where it is reached from here, without TLS. */
  readonly registry: { name: string; address: string };
  kubectl(...args: string[]): string;
  helm(...args: string[]): string;
  /** Creates or changes objects by server-side apply. */
  apply(...objects: object[]): void;
  /** An object as JSON; raises when it is not there. */
  get(kind: string, name: string, namespace?: string): unknown;
  /**
   * Waits until every pod that the selectors of `kubectl get` name is ready (`["pod/web"]`, `["pods", "--all"]`,
   * `["-l", "app=web"]`); raises with what the cluster says of them when they are not in time.
   */
  ready(pods: readonly string[], options?: { namespace?: string; seconds?: number }): void;
  /** Imports archives of images (OCI or docker save) into every node. */
  load(...archives: string[]): void;
  /** The first process of a container of a running pod, seen from here. */
  pidOf(namespace: string, pod: string, container?: string): number;
  /** Stops a program (`kube-apiserver`, `node-1/kubelet`, …), as a bad day would. */
  stop(program: string, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a stopped program again. */
  start(program: string): void;
  /** Pulls the cable of a node, counted from 1, or plugs it in. */
  link(node: number, state: "up" | "down"): void;
  /** What a program has printed. */
  log(program: string): string;
  /** Takes all of it down. */
  delete(): Promise<void>;
}

interface State {
  network: Network;
  server: string;
  kubeconfig: string;
  auditLog: string;
  programs: Programs;
  commands: Record<string, Command>;
  processes: Record<string, Process>;
  /** The process with which it ends; none for a cluster with a name. */
  owner?: Process;
}

const prefix = "bulwark-cluster-";

/**
 * Starts a real Kubernetes: etcd, API server, controller manager, scheduler, DNS and a registry in one network
 * namespace, and nodes with containerd, kubelet and kube-proxy in one each. Needs `root` and what `missing("cluster")`
 * names. With `await using` it ends with its block; one that a killed process left behind is removed by the next start.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { nodes: count = 2, name, say = () => undefined } = options;
  await removeOrphans();
  const programs = await buildPrograms(say);
  const id = randomBytes(3).toString("hex");
  const folder = join(tmpdir(), `${prefix}${name ?? id}`);
  if (existsSync(folder)) throw new Error(`${folder} is there already: take that cluster down first`);
  mkdirSync(folder, { mode: 0o755 });
  const network: Network = { id, block: freeBlock(), nodes: count };
  const nodes = Array.from({ length: count }, (_, index) => nodeOf(folder, network, index + 1));
  const state: State = {
    ...{ network, programs, server: "", kubeconfig: "", auditLog: "", commands: {}, processes: {} },
    ...(name === undefined ? { owner: { pid: process.pid, startTime: startTimeOf(process.pid) ?? "" } } : {}),
  };
  save(folder, state);
  const cluster = clusterAt(folder, state);
  try {
    say("cluster: network, certificates");
    createNetwork(network);
    const authority = createAuthority(join(folder, "pki"));
    const control = prepareControlPlane(join(folder, "control-plane"), network, authority, programs, options);
    state.server = control.server;
    state.kubeconfig = control.kubeconfig;
    state.auditLog = control.auditLog;
    Object.assign(state.commands, control.commands);
    for (const [index, node] of nodes.entries()) {
      const commands = prepareNode(node, index + 1, network, control.server, authority, programs);
      for (const [program, command] of Object.entries(commands)) state.commands[`${node.name}/${program}`] = command;
      createCgroups(node);
      createMounts(node);
    }
    save(folder, state);
    const open = clusterAt(folder, state);

    say("cluster: control plane");
    for (const program of ["etcd", "kube-apiserver", "registry"]) open.start(program);
    for (const node of nodes) open.start(`${node.name}/containerd`);
    const images = makeImages(folder, programs);
    for (const { containerd } of nodes) await eventually("containerd", () => ctr(containerd, "version"), 30_000);
    open.load(...images);
    await eventually("the API server is ready", () => open.kubectl("get", "--raw", "/readyz"), 60_000);

    say("cluster: nodes");
    for (const program of ["kube-controller-manager", "kube-scheduler", "coredns"]) open.start(program);
    for (const node of nodes) for (const program of ["kubelet", "kube-proxy"]) open.start(`${node.name}/${program}`);
    open.apply(...volumes(folder, nodes));
    await eventually("every node is ready", () => allReady(open), 60_000);
    return open;
  } catch (error) {
    const tails = Object.keys(state.processes).map((program) => `== ${program}\n${cluster.log(program).slice(-1500)}`);
    await cluster.delete().catch(() => undefined);
    throw new Error(`the cluster did not start\n${tails.join("\n")}`, { cause: error });
  }
}

/** A cluster that was started with a name; undefined when there is none. */
export function openCluster(name: string): Cluster | undefined {
  const folder = join(tmpdir(), `${prefix}${name}`);
  const state = load(folder);
  return state && clusterAt(folder, state);
}

/** Names of the clusters on this machine. */
export function clusterNames(): string[] {
  return readdirSync(tmpdir())
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => entry.slice(prefix.length));
}

function clusterAt(folder: string, state: State): Cluster {
  const { network, programs, kubeconfig } = state;
  const nodes = Array.from({ length: network.nodes }, (_, index) => nodeOf(folder, network, index + 1));
  const logOf = (program: string): string => join(folder, `${program.replace("/", "-")}.log`);
  const kubectl = (args: string[], input?: string): string =>
    run(programs.kubernetes, ["kubectl", "--kubeconfig", kubeconfig, ...args], input === undefined ? {} : { input });
  const remove = (): Promise<void> => deleteCluster(folder, state, nodes);

  return {
    ...{ folder, nodes, network, programs, kubeconfig },
    server: state.server,
    auditLog: state.auditLog,
    registry: { name: registryName, address: `${controlPlaneAddress(network)}:${registryPort}` },
    kubectl: (...args) => kubectl(args),
    helm: (...args) => run(programs.helm, ["--kubeconfig", kubeconfig, ...args]),
    apply(...objects) {
      const list = { apiVersion: "v1", kind: "List", items: objects };
      kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], JSON.stringify(list));
    },
    get: (kind, object, namespace = "default") =>
      JSON.parse(kubectl(["get", kind, object, "-n", namespace, "-o", "json"])) as unknown,
    ready(pods, { namespace = "default", seconds = 90 } = {}) {
      const where = ["-n", namespace];
      try {
        kubectl(["wait", ...where, "--for=condition=Ready", `--timeout=${seconds}s`, ...podsOf(pods)]);
      } catch (error) {
        const asked = [
          ["get", "pods", ...where, "-o", "wide"],
          ["describe", ...where, ...podsOf(pods)],
        ];
        const said = [...asked, ["get", "pv,pvc", "-A"]].map((words) => tryTo(() => kubectl(words)));
        throw new Error(`not ready after ${seconds} s: ${pods.join(" ")}\n${said.join("\n")}`, { cause: error });
      }
    },
    load(...archives) {
      for (const { containerd } of nodes) {
        for (const archive of archives) ctr(containerd, "images", "import", archive);
      }
    },
    pidOf: (namespace, pod, container) => pidOf(nodes, namespace, pod, container),
    async stop(program, signal) {
      const running = state.processes[program];
      if (running) await stop(running, signal);
      delete state.processes[program];
      save(folder, state);
    },
    start(program) {
      const command = state.commands[program];
      if (!command) throw new Error(`no program ${program}; there are ${Object.keys(state.commands).join(", ")}`);
      const running = state.processes[program];
      if (running && isRunning(running)) return;
      state.processes[program] = start(command, logOf(program));
      save(folder, state);
    },
    link: (node, way) => setLink(network, node, way),
    log: (program) => (existsSync(logOf(program)) ? readFileSync(logOf(program), "utf8") : ""),
    delete: remove,
    [Symbol.asyncDispose]: remove,
  };
}

/** As arguments of kubectl: the kind is said only where a name does not say it. */
function podsOf(pods: readonly string[]): string[] {
  return pods[0]?.startsWith("-") === true ? ["pods", ...pods] : [...pods];
}

function tryTo(ask: () => string): string {
  try {
    return ask();
  } catch (error) {
    return String(error);
  }
}

/**
 * Programs first, then pods and their shims, cgroups, namespaces and mounts: only what this cluster made. Nothing is asked
 * to end, for nothing of it is kept.
 */
async function deleteCluster(folder: string, state: State, nodes: ClusterNode[]): Promise<void> {
  await Promise.all(Object.values(state.processes).map((running) => stop(running, "SIGKILL")));
  for (const node of nodes) {
    for (const pid of processesOf(node)) kill(pid, "SIGKILL");
    const ended = (): true | undefined => {
      for (const pid of podProcesses(node)) kill(pid, "SIGKILL");
      return deleteCgroups(node) || undefined;
    };
    await eventually(`the pods of ${node.name} have ended`, ended, 30_000);
  }
  deleteNetwork(state.network);
  unmountBelow(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Clusters without a name whose process is gone. */
async function removeOrphans(): Promise<void> {
  for (const name of clusterNames()) {
    const state = load(join(tmpdir(), `${prefix}${name}`));
    if (state?.owner && !isRunning(state.owner)) await openCluster(name)?.delete();
  }
}

function allReady(cluster: Cluster): true {
  const { items } = JSON.parse(cluster.kubectl("get", "nodes", "-o", "json")) as {
    items: { status: { conditions: { type: string; status: string }[] } }[];
  };
  const ready = items.filter(({ status }) =>
    status.conditions.some((it) => it.type === "Ready" && it.status === "True"),
  );
  if (ready.length < cluster.nodes.length) throw new Error(`${ready.length} of ${cluster.nodes.length} ready`);
  cluster.kubectl("get", "serviceaccount", "default");
  return true;
}

/** A default storage class and some volumes on the first node: there is nothing here that provisions. */
function volumes(folder: string, nodes: ClusterNode[]): object[] {
  const storageClass = {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode: "WaitForFirstConsumer",
  };
  const node = nodes[0];
  if (!node) return [storageClass];
  const volume = (index: number): object => {
    const path = join(folder, "volumes", String(index));
    mkdirSync(path, { recursive: true });
    const here = { key: "kubernetes.io/hostname", operator: "In", values: [node.name] };
    return {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: `volume-${index}` },
      spec: {
        capacity: { storage: "20Gi" },
        accessModes: ["ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: "standard",
        local: { path },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [here] }] } },
      },
    };
  };
  return [storageClass, ...Array.from({ length: 12 }, (_, index) => volume(index + 1))];
}

function makeImages(folder: string, programs: Programs): string[] {
  const pause = join(folder, "images/pause");
  const busybox = join(folder, "images/busybox");
  mkdirSync(pause, { recursive: true });
  mkdirSync(busybox, { recursive: true });
  cpSync(programs.pause, join(pause, "pause"));
  makeRootfs(busybox);
  const archive = (name: string, rootfs: string, command: string[]): string => {
    const made = join(folder, "images", basename(rootfs) + "-image");
    mkdirSync(made);
    return makeImage(name, rootfs, made, command).archive;
  };
  return [archive(pauseImage, pause, ["/pause"]), archive(busyboxImage, busybox, ["sleep", "86400"])];
}

function ctr(socket: string, ...args: string[]): string {
  return run("ctr", ["--address", socket, "--namespace", "k8s.io", ...args]);
}

function pidOf(nodes: readonly ClusterNode[], namespace: string, pod: string, container?: string): number {
  for (const { containerd } of nodes) {
    const labels = [`labels."io.kubernetes.pod.namespace"==${namespace}`, `labels."io.kubernetes.pod.name"==${pod}`];
    const kind = container === undefined ? 'labels."io.cri-containerd.kind"==container' : undefined;
    const name = container === undefined ? undefined : `labels."io.kubernetes.container.name"==${container}`;
    const filter = [...labels, kind, name].filter((part) => part !== undefined).join(",");
    const ids = new Set(ctr(containerd, "containers", "list", "-q", filter).split(/\s+/).filter(Boolean));
    for (const line of ctr(containerd, "task", "list").split("\n")) {
      const [id, pid, status] = line.trim().split(/\s+/);
      if (id !== undefined && ids.has(id) && status === "RUNNING") return Number(pid);
    }
  }
  throw new Error(`no running container of pod ${namespace}/${pod}`);
}

function save(folder: string, state: State): void {
  writeFileSync(join(folder, "state.json"), JSON.stringify(state, null, 2), { mode: 0o600 });
}

function load(folder: string): State | undefined {
  const path = join(folder, "state.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as State) : undefined;
}
