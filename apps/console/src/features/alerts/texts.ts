import type { StoredAlert } from "@bulwark/model";

/** The one fact that tells this alert from others of its rule. */
export function leadOf({ evidence, process }: StoredAlert): string {
  const lead = evidence.find(({ key }) => key === "peer" || key === "file");
  return lead?.value ?? process.executable;
}

/** The pod, else the container, else the node; what is not known is not guessed. */
export function whereOf({ container, node, attribution }: StoredAlert): string {
  if (container) return container.pod ? `${container.pod.namespace}/${container.pod.name}` : container.name;
  return attribution === "host" ? node : "?";
}
