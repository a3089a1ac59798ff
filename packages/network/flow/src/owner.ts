/**
 * The workload that a pod belongs to, by the labels that its controller gave it: `web` of `web-6d9f8b7c5d-x2x4z` with
 * `pod-template-hash: 6d9f8b7c5d`. Null where they do not tell.
 */
export function ownerName(pod: string | null, labels: Readonly<Record<string, string>>): string | null {
  if (pod === null) return null;
  const template = labels["pod-template-hash"];
  const at = template === undefined ? -1 : pod.lastIndexOf(`-${template}-`);
  if (at > 0) return pod.slice(0, at);
  // StatefulSets count their pods, DaemonSets end them in five letters.
  if (labels["statefulset.kubernetes.io/pod-name"] === pod) return pod.replace(/-\d+$/, "");
  return "controller-revision-hash" in labels ? pod.replace(/-[a-z0-9]{5}$/, "") : null;
}
