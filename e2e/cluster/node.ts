import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "@bulwark/testkit";
import type { Authority } from "./certificates.ts";
import { writeKubeconfig } from "./certificates.ts";
import { registryName, registryPort } from "./control-plane.ts";
import { controlPlaneAddress, nodeAddress, nodeNamespace, podRange, podsRange, type Network } from "./network.ts";
import type { Command } from "./processes.ts";
import type { Programs } from "./programs.ts";

export const pauseImage = "registry.test/pause:1";

export interface ClusterNode {
  readonly name: string;
  readonly address: string;
  /** Its network namespace, a name in /var/run/netns. */
  readonly namespace: string;
  /** Socket of its own containerd as seen from here; pods are in the namespace `k8s.io`. */
  readonly containerd: string;
  /** Below it are `kubepods` and so every pod; the same name in each cgroup hierarchy. */
  readonly cgroupRoot: string;
  readonly folder: string;
  /** A file that is its mount namespace: `/run`, `/var/lib` and `/var/log` are its own there, below `folder`. */
  readonly mounts: string;
}

export function nodeOf(folder: string, network: Network, node: number): ClusterNode {
  const own = join(folder, `node-${node}`);
  return {
    name: `node-${node}`,
    address: nodeAddress(network, node),
    namespace: nodeNamespace(network, node),
    containerd: join(own, "root/run/containerd/containerd.sock"),
    cgroupRoot: `/bulwark-${network.id}-n${node}`,
    folder: own,
    mounts: join(own, "namespace/mounts"),
  };
}

/** Writes what a node needs into its folder and says how its programs are started. */
export function prepareNode(
  own: ClusterNode,
  index: number,
  network: Network,
  server: string,
  authority: Authority,
  programs: Programs,
): Record<"containerd" | "kubelet" | "kube-proxy", Command> {
  const { folder, namespace, mounts, name } = own;
  for (const each of ["cni", "certs.d", "manifests", `certs.d/${registryName}`]) {
    mkdirSync(join(folder, each), { recursive: true });
  }
  const path = (file: string, content: string | object): string => {
    writeFileSync(join(folder, file), typeof content === "string" ? content : JSON.stringify(content, null, 2));
    return join(folder, file);
  };
  const kubeconfigOf = (id: string, user: string, groups: string[]): string => {
    const config = join(folder, `${id}.kubeconfig`);
    writeKubeconfig(config, server, authority, authority.issue(`${name}-${id}`, { user, groups }));
    return config;
  };
  const registry = `http://${controlPlaneAddress(network)}:${registryPort}`;
  path(
    `certs.d/${registryName}/hosts.toml`,
    `server = "${registry}"\n[host."${registry}"]\ncapabilities = ["pull", "resolve"]\n`,
  );
  path("cni/10-pods.conflist", cniConfig(own, index, network));
  const kubelet = kubeconfigOf("kubelet", `system:node:${name}`, ["system:nodes"]);
  const proxy = kubeconfigOf("kube-proxy", "system:kube-proxy", []);
  const serving = authority.issue(`${name}-serving`, { user: `system:node:${name}`, hosts: [name, own.address] });
  const settings = {
    ...kubeletConfig(own, network, authority, path),
    tlsCertFile: serving.certificate,
    tlsPrivateKeyFile: serving.key,
  };
  return {
    containerd: {
      ...{ namespace, mounts },
      program: "containerd",
      args: ["--config", path("containerd.toml", containerdConfig(own)), "--log-level", "warn"],
    },
    kubelet: {
      ...{ namespace, mounts },
      program: programs.kubernetes,
      args: [
        "kubelet",
        `--kubeconfig=${kubelet}`,
        `--config=${path("kubelet.json", settings)}`,
        `--hostname-override=${name}`,
        `--node-ip=${own.address}`,
        `--node-labels=topology.kubernetes.io/zone=zone-${index}`,
      ],
    },
    "kube-proxy": {
      ...{ namespace, mounts },
      program: programs.kubernetes,
      args: [
        "kube-proxy",
        `--kubeconfig=${proxy}`,
        "--proxy-mode=nftables",
        "--conntrack-max-per-core=0",
        `--cluster-cidr=${podsRange(network)}`,
        `--hostname-override=${name}`,
      ],
    },
  };
}

/**
 * Gives a node folders of its own where programs of nodes keep what is of one node: sockets and states of runtimes, and
 * what pods mount from there. Two nodes on one machine would else see, and end, each other's.
 */
export function createMounts({ folder, mounts }: ClusterNode): void {
  const holder = dirname(mounts);
  mkdirSync(holder, { recursive: true });
  // A namespace can be kept by a file only below a mount of which it has no copy itself.
  run("mount", ["--bind", holder, holder]);
  run("mount", ["--make-private", holder]);
  writeFileSync(mounts, "");
  const own = ["run", "var/lib", "var/log"];
  for (const path of own) mkdirSync(join(folder, "root", path), { recursive: true });
  // Images are thousands of small files that nobody keeps: they are unpacked into memory.
  const images = join(folder, "root/var/lib/containerd");
  mkdirSync(images);
  run("mount", ["-t", "tmpfs", "-o", "size=4g,mode=711", "containerd", images]);
  // The root is shared, as systemd mounts it: what a pod mounts of it follows it.
  const binds = [...own.map((path) => `mount --rbind "$1/${path}" /${path}`), "mount --make-shared /"].join(" && ");
  run("unshare", [`--mount=${mounts}`, "--propagation", "private", "sh", "-ec", binds, "sh", join(folder, "root")]);
}

/** Makes the cgroup below which a kubelet keeps its pods: two kubelets under one would end each other's. */
export function createCgroups({ cgroupRoot }: ClusterNode): void {
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, cgroupRoot);
    mkdirSync(folder, { recursive: true });
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      if (!existsSync(join(folder, file)) || !hierarchy.endsWith("cpuset")) continue;
      writeFileSync(join(folder, file), readFileSync(join(hierarchy, file)));
    }
  }
}

/** Whether they are gone: while a process in one has not ended entirely, the caller tries again. */
export function deleteCgroups({ cgroupRoot }: ClusterNode): boolean {
  const folders = hierarchies().flatMap((hierarchy) => cgroupsBelow(join(hierarchy, cgroupRoot)));
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder);
    } catch (error) {
      if (!["EBUSY", "ENOENT", "ENOTEMPTY"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  return !folders.some((folder) => existsSync(folder));
}

/** Ids of the processes of all pods of the node. */
export function podProcesses({ cgroupRoot }: ClusterNode): number[] {
  const ids = hierarchies().flatMap((hierarchy) =>
    cgroupsBelow(join(hierarchy, cgroupRoot)).flatMap((folder) => {
      try {
        return readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
      } catch {
        return [];
      }
    }),
  );
  return [...new Set(ids)];
}

/** Ids of the processes in the node's mount namespace: its programs, and the shims of its pods. */
export function processesOf({ mounts }: ClusterNode): number[] {
  const own = statSync(mounts, { throwIfNoEntry: false })?.ino;
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return statSync(`/proc/${pid}/ns/mnt`).ino === own;
      } catch {
        // It has ended.
        return false;
      }
    })
    .map(Number);
}

function hierarchies(): string[] {
  const root = "/sys/fs/cgroup";
  if (existsSync(join(root, "cgroup.controllers"))) return [root];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name));
}

/** The folder and all below it, parents first. */
function cgroupsBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [folder, ...below.flatMap((entry) => cgroupsBelow(join(folder, entry.name)))];
}

/** What it does not say is where containerd has it by default, in the node's own folders. */
function containerdConfig({ folder }: ClusterNode): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[${cri}]
sandbox_image = "${pauseImage}"
# The machine may lack the right to lower scores.
restrict_oom_score_adj = true
[${cri}.cni]
bin_dir = "/usr/lib/cni"
conf_dir = "${folder}/cni"
[${cri}.registry]
config_path = "${folder}/certs.d"
[${cri}.containerd]
default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
`;
}

/** Pods are joined point to point, so that a packet between two of one node passes the packet filter too. */
function cniConfig({ folder }: ClusterNode, index: number, network: Network): object {
  const range = { subnet: podRange(network, index) };
  return {
    cniVersion: "1.0.0",
    name: `bulwark-${network.id}`,
    plugins: [
      {
        type: "ptp",
        ipMasq: false,
        ipam: {
          type: "host-local",
          dataDir: join(folder, "addresses"),
          ranges: [[range]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

function kubeletConfig(
  { folder, cgroupRoot }: ClusterNode,
  network: Network,
  authority: Authority,
  path: (file: string, content: string) => string,
): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: authority.certificate },
    },
    authorization: { mode: "Webhook" },
    clusterDNS: [controlPlaneAddress(network)],
    clusterDomain: "cluster.local",
    resolvConf: path("resolv.conf", ""),
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    staticPodPath: join(folder, "manifests"),
    volumePluginDir: join(folder, "volume-plugins"),
    cgroupDriver: "cgroupfs",
    cgroupRoot,
    failCgroupV1: false,
    enforceNodeAllocatable: ["pods"],
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    // A machine with a full disk is no reason to evict the pods of a test.
    evictionHard: { "memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
    // Else an image that was imported must be pulled as soon as one of the same content has been pulled by another name.
    imagePullCredentialsVerificationPolicy: "NeverVerify",
    nodeStatusUpdateFrequency: "4s",
    nodeLeaseDurationSeconds: 16,
    syncFrequency: "10s",
    serializeImagePulls: false,
    registryPullQPS: 0,
    shutdownGracePeriod: "0s",
  };
}
