import type { Container } from "@bulwark/model";

/** The namespaces of what a cluster stands on. */
const systemNamespaces = new Set(["kube-system", "kube-node-lease"]);

/**
 * Why nothing is ever done to a container: it is Bulwark's own, or the system's, unless a person said that the system is
 * meant. The node's own services are in no container, and are not in reach for that (`guard.ts`).
 */
export function whyProtected({ pod, labels }: Container, system: boolean): string | undefined {
  const own = { ...labels, ...pod?.metadata?.labels };
  if (own["app.kubernetes.io/name"] === "bulwark") return "it is Bulwark itself";
  if (system || !pod || !systemNamespaces.has(pod.namespace)) return undefined;
  return `the namespace ${pod.namespace} is the system's, which no policy allows expressly`;
}
