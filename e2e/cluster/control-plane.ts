import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Authority } from "./certificates.ts";
import { createTokenKey, writeKubeconfig } from "./certificates.ts";
import {
  apiServiceAddress,
  controlPlaneAddress,
  controlPlaneNamespace,
  serviceRange,
  type Network,
} from "./network.ts";
import type { Command } from "./processes.ts";
import type { Programs } from "./programs.ts";

export const registryName = "registry.test";
export const registryPort = 5000;

export interface ControlPlaneOptions {
  /** More flags of the API server. */
  apiServerFlags?: string[];
}

export interface ControlPlane {
  /** By the program's name, in the order in which they start. */
  commands: Record<string, Command>;
  server: string;
  /** Of a member of system:masters. */
  kubeconfig: string;
  auditLog: string;
}

/** Writes what the control plane needs into `folder` and says how its programs are started. */
export function prepareControlPlane(
  folder: string,
  network: Network,
  authority: Authority & { key: string },
  programs: Programs,
  { apiServerFlags = [] }: ControlPlaneOptions,
): ControlPlane {
  mkdirSync(folder, { recursive: true });
  const address = controlPlaneAddress(network);
  const server = `https://${address}:6443`;
  const auditLog = join(folder, "audit.log");
  const path = (name: string, content: string | object): string => {
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
    return join(folder, name);
  };
  const kubeconfigOf = (user: string, groups: string[] = []): string => {
    const config = join(folder, `${user.replaceAll(":", "-")}.kubeconfig`);
    writeKubeconfig(config, server, authority, authority.issue(user.replaceAll(":", "-"), { user, groups }));
    return config;
  };
  const serving = authority.issue("kube-apiserver", {
    user: "kube-apiserver",
    hosts: [
      ...["", ".default", ".default.svc", ".default.svc.cluster.local"].map((suffix) => `kubernetes${suffix}`),
      ...[apiServiceAddress(network), address, "127.0.0.1"],
    ],
  });
  const toKubelets = authority.issue("kubelet-client", { user: "kube-apiserver", groups: ["system:masters"] });
  const tokenKey = createTokenKey(folder);
  const namespace = controlPlaneNamespace(network);
  const kubernetes = (...args: string[]): Command => ({ namespace, program: programs.kubernetes, args });
  const controllers = kubeconfigOf("system:kube-controller-manager");
  const scheduler = kubeconfigOf("system:kube-scheduler");
  const kubeconfig = kubeconfigOf("admin", ["system:masters"]);

  return {
    server,
    kubeconfig,
    auditLog,
    commands: {
      etcd: {
        namespace,
        program: "etcd",
        args: [
          ...["--data-dir", join(folder, "etcd"), "--log-level", "warn", "--logger", "zap"],
          ...["--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379"],
          ...["--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls", "http://127.0.0.1:2380"],
          ...["--initial-cluster", "default=http://127.0.0.1:2380"],
        ],
      },
      registry: {
        namespace,
        program: "docker-registry",
        args: ["serve", path("registry.yml", registryConfig(folder, address))],
      },
      "kube-apiserver": kubernetes(
        "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        `--advertise-address=${address}`,
        `--tls-cert-file=${serving.certificate}`,
        `--tls-private-key-file=${serving.key}`,
        `--client-ca-file=${authority.certificate}`,
        `--kubelet-client-certificate=${toKubelets.certificate}`,
        `--kubelet-client-key=${toKubelets.key}`,
        "--kubelet-preferred-address-types=InternalIP",
        `--service-cluster-ip-range=${serviceRange(network)}`,
        "--service-account-issuer=https://kubernetes.default.svc",
        `--service-account-key-file=${tokenKey}`,
        `--service-account-signing-key-file=${tokenKey}`,
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        // Webhooks of services are called at their endpoints: no kube-proxy runs beside the API server.
        "--enable-aggregator-routing=true",
        `--audit-policy-file=${path("audit-policy.json", auditPolicy)}`,
        `--audit-log-path=${auditLog}`,
        "--audit-log-maxsize=100",
        ...apiServerFlags,
      ),
      "kube-controller-manager": kubernetes(
        "kube-controller-manager",
        `--kubeconfig=${controllers}`,
        `--service-account-private-key-file=${tokenKey}`,
        `--root-ca-file=${authority.certificate}`,
        `--cluster-signing-cert-file=${authority.certificate}`,
        `--cluster-signing-key-file=${authority.key}`,
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--node-monitor-grace-period=20s",
      ),
      "kube-scheduler": kubernetes("kube-scheduler", `--kubeconfig=${scheduler}`, "--leader-elect=false"),
      coredns: {
        namespace,
        program: programs.coredns,
        args: ["-conf", path("Corefile", corefile(address, kubeconfig))],
      },
    },
  };
}

function registryConfig(folder: string, address: string): string {
  return `version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: ${join(folder, "registry")}}
  delete: {enabled: true}
http: {addr: "${address}:${registryPort}"}
`;
}

/** The cluster's DNS runs beside the API server instead of in pods. */
function corefile(address: string, kubeconfig: string): string {
  return `.:53 {
  bind ${address}
  errors
  ready ${address}:8181
  hosts {
    ${address} ${registryName}
    fallthrough
  }
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig} test
    pods insecure
  }
  cache 5
}
`;
}

/** What an audit policy of practice keeps: bodies where rights and access change hands, else who did what to which. */
const auditPolicy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "None", nonResourceURLs: ["/healthz*", "/readyz*", "/livez*", "/version"] },
    { level: "Metadata", verbs: ["delete", "deletecollection"], resources: [{ group: "", resources: ["events"] }] },
    { level: "None", resources: [{ group: "coordination.k8s.io" }, { group: "", resources: ["events"] }] },
    { level: "None", users: ["system:apiserver"], verbs: ["get", "list", "watch"] },
    { level: "Metadata", resources: [{ group: "", resources: ["secrets", "configmaps", "serviceaccounts/token"] }] },
    {
      level: "Request",
      verbs: ["create", "update", "patch", "delete"],
      resources: [
        { group: "rbac.authorization.k8s.io" },
        {
          group: "",
          resources: ["services", "pods", "pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"],
        },
        { group: "apps" },
        { group: "batch" },
      ],
    },
    { level: "Metadata" },
  ],
};
