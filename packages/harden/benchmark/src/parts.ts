import { plainPackage, type InstalledPackage } from "@bulwark/model";

type Name = readonly [type: InstalledPackage["type"], name: string];
interface Known {
  /** How advisories call what it is made of. */
  readonly advisories: readonly Name[];
  /** The Go modules that its program is the main package of. */
  readonly modules: readonly string[];
  /** Packages of its own makers, whose versions are the makers'. */
  readonly makers: readonly string[];
}

/** Parts of Kubernetes and of container runtimes, by the names that checks know them by. */
export const parts = {
  apiserver: { advisories: [["binary", "kube-apiserver"]], modules: [], makers: [] },
  controllerManager: { advisories: [["binary", "kube-controller-manager"]], modules: [], makers: [] },
  proxy: { advisories: [["binary", "kube-proxy"]], modules: [], makers: [] },
  kubelet: {
    advisories: [["binary", "kubelet"]],
    // k3s is the kubelet, too, and bears its version.
    modules: ["k8s.io/kubernetes", "github.com/k3s-io/k3s"],
    makers: ["kubelet"],
  },
  etcd: {
    advisories: [
      ["golang", "go.etcd.io/etcd"],
      ["golang", "go.etcd.io/etcd/v3"],
      ["golang", "go.etcd.io/etcd/server/v3"],
    ],
    modules: ["go.etcd.io/etcd", "go.etcd.io/etcd/v3", "go.etcd.io/etcd/server/v3"],
    makers: [],
  },
  runc: {
    advisories: [["golang", "github.com/opencontainers/runc"]],
    modules: ["github.com/opencontainers/runc"],
    makers: ["moby-runc"],
  },
  // In C: its makers' releases are in no feed, the packages of distributions are.
  crun: { advisories: [], modules: [], makers: [] },
  containerd: {
    advisories: [
      ["golang", "github.com/containerd/containerd"],
      ["golang", "github.com/containerd/containerd/v2"],
    ],
    modules: ["github.com/containerd/containerd", "github.com/containerd/containerd/v2", "github.com/k3s-io/k3s"],
    makers: ["containerd.io", "moby-containerd"],
  },
  docker: {
    advisories: [
      ["golang", "github.com/docker/docker"],
      ["golang", "github.com/moby/moby"],
    ],
    modules: ["github.com/docker/docker", "github.com/moby/moby", "github.com/moby/moby/v2"],
    makers: ["docker-ce", "moby-engine"],
  },
  crio: {
    advisories: [["golang", "github.com/cri-o/cri-o"]],
    modules: ["github.com/cri-o/cri-o"],
    makers: ["cri-o"],
  },
  cni: {
    advisories: [["golang", "github.com/containernetworking/plugins"]],
    modules: ["github.com/containernetworking/plugins"],
    makers: ["kubernetes-cni"],
  },
} as const satisfies Record<string, Known>;
export type Part = keyof typeof parts;

/** A part of a version, under every name that advisories have for it. */
export function packagesOf(part: Part, version: string): InstalledPackage[] {
  const nothing = { architecture: "", purl: "", location: "", licences: [], layer: null };
  return parts[part].advisories.map(([type, name]) => ({
    ...{ ...plainPackage, ...nothing, type, name, version },
    source: { name, version },
  }));
}

/** `v1.29.3-eks-ae9a62a`, `3.5.10-0`: what a distributor adds is no version of the makers'. Empty for what is none. */
export function plainVersion(version: string): string {
  return /^v?(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.?\d*)?)/.exec(version)?.[1] ?? "";
}
