import { errorText } from "@bulwark/model";
import { fieldOf, isRecord, recordOf, recordsOf, stringOf } from "@bulwark/manifests";
import { parse as parseYaml } from "yaml";
import type { Collector, Host } from "../collector.ts";
import { RootError } from "../root.ts";
import { fileFact, matches, type FileFact } from "./files.ts";
import { k3sFlags } from "./k3s.ts";
import { flagsOf, processesOf } from "./processes.ts";

/** One part of Kubernetes on this host, as its process was started. */
interface Part {
  running: boolean;
  /** Without `--`; empty where it does not run here. */
  flags: Record<string, string>;
  /** Files that the check is about, by what they are: `manifest`, `kubeconfig`, `config`, `unit`. */
  files: Record<string, FileFact[]>;
}

interface Kubelet extends Part {
  /** What it goes by: its file, with flags over it; durations and numbers as they are written. */
  config: Record<string, unknown>;
  /** What holds where neither says anything: a kubelet without a file has weaker ones. */
  defaults: { anonymous: boolean; authorization: string; readOnlyPort: number };
}

interface Proxy extends Part {
  config: Record<string, unknown>;
}

type Distribution = "kubeadm" | "k3s" | "rke2" | "other" | "none";

/** Where distributions keep the files that CIS names. Sources: kubeadm's defaults, docs.rke2.io, docs.k3s.io. */
const places = {
  manifests: ["/etc/kubernetes/manifests", "/var/lib/rancher/rke2/agent/pod-manifests"],
  kubeconfigs: {
    scheduler: [
      "/etc/kubernetes/scheduler.conf",
      "/var/lib/rancher/rke2/server/cred/scheduler.kubeconfig",
      "/var/lib/rancher/k3s/server/cred/scheduler.kubeconfig",
    ],
    controllerManager: [
      "/etc/kubernetes/controller-manager.conf",
      "/var/lib/rancher/rke2/server/cred/controller.kubeconfig",
      "/var/lib/rancher/k3s/server/cred/controller.kubeconfig",
    ],
    kubelet: [
      "/etc/kubernetes/kubelet.conf",
      "/var/lib/rancher/rke2/agent/kubelet.kubeconfig",
      "/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
    ],
    proxy: [
      "/etc/kubernetes/proxy.conf",
      "/var/lib/rancher/rke2/agent/kubeproxy.kubeconfig",
      "/var/lib/rancher/k3s/agent/kubeproxy.kubeconfig",
    ],
  },
  admin: [
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/super-admin.conf",
    "/var/lib/rancher/rke2/server/cred/admin.kubeconfig",
    "/var/lib/rancher/k3s/server/cred/admin.kubeconfig",
  ],
  pki: ["/etc/kubernetes/pki", "/var/lib/rancher/rke2/server/tls", "/var/lib/rancher/k3s/server/tls"],
  etcdData: ["/var/lib/etcd", "/var/lib/rancher/rke2/server/db/etcd", "/var/lib/rancher/k3s/server/db/etcd"],
  kubeletUnits: [
    "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
    "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
    "/lib/systemd/system/kubelet.service",
    "/usr/lib/systemd/system/kubelet.service",
    "/etc/systemd/system/kubelet.service",
  ],
} as const;

/**
 * Kubernetes on this host: the flags of each part's process, the kubelet's configuration, and the files that matter.
 * k3s runs its parts inside one process without flags of their own: what it gives them by its own defaults and by its
 * configuration is put together.
 */
export const kubernetes: Collector = {
  variables: ["kubernetes", "apiserver", "controllerManager", "scheduler", "etcd", "kubelet", "proxy"],
  collect(host) {
    const distribution = distributionOf(host);
    if (host.proc === undefined) {
      for (const name of this.variables) host.miss(`${name}.running`, "the host's processes are not seen");
      host.miss("kubernetes.distribution", "the host's processes are not seen");
    }
    const part = (variable: string, name: string, files: Record<string, readonly string[]>): Part =>
      partOf(host, variable, name, distribution, files);
    const manifest = (name: string): string[] => places.manifests.map((folder) => `${folder}/${name}.yaml`);
    const kubelet = part("kubelet", "kubelet", { kubeconfig: places.kubeconfigs.kubelet, unit: places.kubeletUnits });
    const etcd = part("etcd", "etcd", { manifest: manifest("etcd"), data: places.etcdData });
    return {
      kubernetes: {
        distribution,
        files: { admin: present(host, "kubernetes.files", places.admin), pki: pkiFiles(host), cni: cniFiles(host) },
      },
      apiserver: withEncryption(host, part("apiserver", "kube-apiserver", { manifest: manifest("kube-apiserver") })),
      controllerManager: part("controllerManager", "kube-controller-manager", {
        manifest: manifest("kube-controller-manager"),
        kubeconfig: places.kubeconfigs.controllerManager,
      }),
      scheduler: part("scheduler", "kube-scheduler", {
        manifest: manifest("kube-scheduler"),
        kubeconfig: places.kubeconfigs.scheduler,
      }),
      etcd: withDataFolder(host, etcd),
      kubelet: kubeletOf(host, kubelet),
      proxy: proxyOf(host, part("proxy", "kube-proxy", { kubeconfig: places.kubeconfigs.proxy })),
    };
  },
};

function distributionOf(host: Host): Distribution {
  const names = new Set(processesOf(host).map(({ name }) => name));
  if (names.has("k3s") || names.has("k3s-server") || names.has("k3s-agent")) return "k3s";
  if (names.has("rke2")) return "rke2";
  if (!["kubelet", "kube-apiserver", "etcd"].some((name) => names.has(name))) return "none";
  return host.root.stat("/etc/kubernetes/manifests") === undefined ? "other" : "kubeadm";
}

function partOf(
  host: Host,
  variable: string,
  name: string,
  distribution: Distribution,
  files: Readonly<Record<string, readonly string[]>>,
): Part {
  const process = processesOf(host).find((one) => one.name === name);
  const embedded = distribution === "k3s" ? k3sFlags(host, name) : undefined;
  const found = Object.entries(files).map(
    ([key, paths]) => [key, present(host, `${variable}.files.${key}`, paths)] as const,
  );
  return {
    running: process !== undefined || embedded !== undefined,
    flags: process ? flagsOf(process.arguments) : (embedded ?? {}),
    files: Object.fromEntries(found),
  };
}

function present(host: Host, place: string, paths: readonly string[]): FileFact[] {
  const found = host.attempt(place, () => paths.map((path) => fileFact(host, path)).filter(({ exists }) => exists));
  return found ?? [];
}

function pkiFiles(host: Host): FileFact[] {
  const paths = places.pki.flatMap((folder) => [folder, ...matches(host, `${folder}/**`)]);
  return present(host, "kubernetes.files.pki", [...new Set(paths)]);
}

function cniFiles(host: Host): FileFact[] {
  const flags = flagsOf(processesOf(host).find(({ name }) => name === "kubelet")?.arguments ?? []);
  const folder = flags["cni-conf-dir"] ?? "/etc/cni/net.d";
  return present(host, "kubernetes.files.cni", [
    ...matches(host, `${folder}/*`),
    ...matches(host, "/var/lib/cni/networks/**"),
  ]).filter(({ type }) => type === "file");
}

/** What secrets are encrypted with: the first provider of each entry is the one that writes. Keys are not kept. */
function withEncryption(
  host: Host,
  apiserver: Part,
): Part & { encryption: { resources: string[]; provider: string }[] } {
  const path = apiserver.flags["encryption-provider-config"];
  if (path === undefined) return { ...apiserver, encryption: [] };
  const config = host.attempt("apiserver.encryption", () => yaml(path, host.root.text(path))) ?? {};
  const entries = recordsOf(config["resources"]).map((entry) => ({
    resources: Array.isArray(entry["resources"]) ? entry["resources"].map(String) : [],
    provider: Object.keys(recordsOf(entry["providers"])[0] ?? {})[0] ?? "",
  }));
  if (entries.length === 0) host.miss("apiserver.encryption", `${path}: not on the host under this path`);
  return { ...apiserver, encryption: entries };
}

function withDataFolder(host: Host, etcd: Part): Part {
  const folder = etcd.flags["data-dir"];
  if (folder === undefined) return etcd;
  return { ...etcd, files: { ...etcd.files, data: present(host, "etcd.files.data", [folder]) } };
}

/** Flags that say what a field of KubeletConfiguration says; a flag wins. kubernetes.io/docs/reference/command-line-tools-reference/kubelet */
const kubeletFlags: Readonly<Record<string, string>> = {
  "anonymous-auth": "authentication.anonymous.enabled",
  "authorization-mode": "authorization.mode",
  "client-ca-file": "authentication.x509.clientCAFile",
  "read-only-port": "readOnlyPort",
  "streaming-connection-idle-timeout": "streamingConnectionIdleTimeout",
  "protect-kernel-defaults": "protectKernelDefaults",
  "make-iptables-util-chains": "makeIPTablesUtilChains",
  "event-qps": "eventRecordQPS",
  "tls-cert-file": "tlsCertFile",
  "tls-private-key-file": "tlsPrivateKeyFile",
  "tls-cipher-suites": "tlsCipherSuites",
  "rotate-certificates": "rotateCertificates",
  "rotate-server-certificates": "serverTLSBootstrap",
  "pod-max-pids": "podPidsLimit",
  "seccomp-default": "seccompDefault",
};

function kubeletOf(host: Host, part: Part): Kubelet {
  const path = part.flags["config"];
  const config =
    host.attempt("kubelet.config", () => (path === undefined ? {} : yaml(path, host.root.text(path)))) ?? {};
  for (const [flag, field] of Object.entries(kubeletFlags)) {
    const value = part.flags[flag];
    if (value !== undefined) put(config, field.split("."), scalar(flag, value));
  }
  if (part.flags["feature-gates"] !== undefined) {
    config["featureGates"] = { ...recordOf(config["featureGates"]), ...gates(part.flags["feature-gates"]) };
  }
  const authority = stringOf(fieldOf(config, "authentication", "x509", "clientCAFile"));
  const files = {
    ...part.files,
    config: path === undefined ? [] : present(host, "kubelet.files.config", [path]),
    authority: authority === "" ? [] : present(host, "kubelet.files.authority", [authority]),
  };
  const kubeconfig = part.flags["kubeconfig"];
  return {
    ...part,
    files:
      kubeconfig === undefined
        ? files
        : { ...files, kubeconfig: present(host, "kubelet.files.kubeconfig", [kubeconfig]) },
    config,
    defaults:
      path === undefined
        ? { anonymous: true, authorization: "AlwaysAllow", readOnlyPort: 10_255 }
        : { anonymous: false, authorization: "Webhook", readOnlyPort: 0 },
  };
}

function proxyOf(host: Host, part: Part): Proxy {
  const path = part.flags["config"];
  // In a pod the path is of the pod: what it says is asked of the cluster.
  const config = host.attempt("proxy.config", () => (path === undefined ? {} : yaml(path, host.root.text(path)))) ?? {};
  if (path !== undefined && Object.keys(config).length === 0)
    host.miss("proxy.config", `${path}: not on the host; bulwark check cluster reads it`);
  if (part.flags["metrics-bind-address"] !== undefined)
    config["metricsBindAddress"] = part.flags["metrics-bind-address"];
  return { ...part, config };
}

function yaml(path: string, text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const value: unknown = parseYaml(text, { maxAliasCount: 100 });
    if (!isRecord(value)) throw new Error("not an object");
    return value;
  } catch (error) {
    throw new RootError("unreadable", `${path}: ${errorText(error)}`, { cause: error });
  }
}

function scalar(flag: string, value: string): unknown {
  if (flag === "tls-cipher-suites") return value.split(",");
  if (value === "true" || value === "false") return value === "true";
  return /^-?\d+$/.test(value) ? Number(value) : value;
}

function put(target: Record<string, unknown>, [name = "", ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    target[name] = value;
    return;
  }
  const inner = { ...recordOf(target[name]) };
  target[name] = inner;
  put(inner, rest, value);
}

/** `A=true,B=false` */
function gates(text: string): Record<string, boolean> {
  return Object.fromEntries(
    text.split(",").map((one) => {
      const [name = "", value = ""] = one.split("=");
      return [name.trim(), value.trim() === "true"];
    }),
  );
}
