import type { Workload } from "@bulwark/flow";
import type { Container } from "@bulwark/model";

/**
 * The workload that a container is of: what owns its pod, as far as the API server has told of it. A container without a pod
 * stands for itself, in no namespace.
 */
export function workloadOf({ pod, name, id, labels, node }: Container): Workload {
  if (!pod) {
    return { namespace: "", name: name || id.slice(0, 12), kind: null, pod: null, labels, serviceAccount: null, node };
  }
  const { metadata } = pod;
  const owner = metadata?.owners.at(-1);
  return {
    namespace: pod.namespace,
    name: owner?.name ?? (metadata ? pod.name : null),
    kind: owner?.kind ?? (metadata ? "Pod" : null),
    pod: pod.name,
    labels: metadata?.labels ?? {},
    serviceAccount: metadata?.serviceAccount ?? null,
    node,
  };
}
