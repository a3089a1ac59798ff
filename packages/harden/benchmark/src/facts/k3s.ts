import { errorText } from "@bulwark/model";
import { isRecord } from "@bulwark/manifests";
import { parse } from "yaml";
import type { Host } from "../collector.ts";
import { RootError } from "../root.ts";
import { processesOf } from "./processes.ts";

const tls = "/var/lib/rancher/k3s/server/tls";
const agent = "/var/lib/rancher/k3s/agent";

/**
 * What k3s gives its parts unless it is told otherwise; pkg/daemons/control/server.go and pkg/daemons/agent/agent.go of
 * k3s 1.30 and later. Only the flags that a check asks for.
 */
const defaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "kube-apiserver": {
    "anonymous-auth": "false",
    "authorization-mode": "Node,RBAC",
    "client-ca-file": `${tls}/client-ca.crt`,
    "enable-admission-plugins": "NodeRestriction",
    "kubelet-certificate-authority": `${tls}/server-ca.crt`,
    "kubelet-client-certificate": `${tls}/client-kube-apiserver.crt`,
    "kubelet-client-key": `${tls}/client-kube-apiserver.key`,
    profiling: "false",
    "service-account-key-file": `${tls}/service.key`,
    "tls-cert-file": `${tls}/serving-kube-apiserver.crt`,
    "tls-private-key-file": `${tls}/serving-kube-apiserver.key`,
  },
  "kube-controller-manager": {
    "bind-address": "127.0.0.1",
    profiling: "false",
    "root-ca-file": `${tls}/server-ca.crt`,
    "service-account-private-key-file": `${tls}/service.current.key`,
    "use-service-account-credentials": "true",
  },
  "kube-scheduler": { "bind-address": "127.0.0.1", profiling: "false" },
  kubelet: {
    "anonymous-auth": "false",
    "authorization-mode": "Webhook",
    "client-ca-file": `${agent}/client-ca.crt`,
    kubeconfig: `${agent}/kubelet.kubeconfig`,
    "read-only-port": "0",
    "tls-cert-file": `${agent}/serving-kubelet.crt`,
    "tls-private-key-file": `${agent}/serving-kubelet.key`,
  },
  "kube-proxy": {},
};
const ofServer = new Set(["kube-apiserver", "kube-controller-manager", "kube-scheduler"]);

/** Flags of a part that k3s runs inside itself: `kube-apiserver-arg` and its like over the defaults. Undefined where it runs none. */
export function k3sFlags(host: Host, part: string): Record<string, string> | undefined {
  const standard = defaults[part];
  const process = processesOf(host).find(({ name }) => /^k3s(?:-server|-agent)?$/.test(name));
  if (!standard || !process) return undefined;
  const server = process.name === "k3s-server" || process.arguments[1] === "server";
  if (ofServer.has(part) && !server) return undefined;
  const given = [...fromConfig(host, `${part}-arg`), ...fromArguments(process.arguments, `${part}-arg`)];
  const flags = given.map((one) => {
    const [name = "", ...value] = one.replace(/^--/, "").split("=");
    return [name, value.join("=")] as const;
  });
  return { ...standard, ...Object.fromEntries(flags) };
}

function fromConfig(host: Host, key: string): string[] {
  const path = "/etc/rancher/k3s/config.yaml";
  return (
    host.attempt("kubernetes.k3s", () => {
      const text = host.root.text(path);
      if (text === undefined) return [];
      const value = parsed(path, text)[key];
      return Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : [];
    }) ?? []
  );
}

function parsed(path: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = parse(text, { maxAliasCount: 100 });
    return isRecord(value) ? value : {};
  } catch (error) {
    throw new RootError("unreadable", `${path}: ${errorText(error)}`, { cause: error });
  }
}

function fromArguments(words: readonly string[], key: string): string[] {
  return words.flatMap((word, at) => {
    if (word.startsWith(`--${key}=`)) return word.slice(key.length + 3);
    return word === `--${key}` ? (words[at + 1] ?? []) : [];
  });
}
