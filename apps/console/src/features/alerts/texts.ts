import type { ApiRequest, StoredAlert } from "@bulwark/model";

/** The one fact that tells this alert from others of its rule. */
export function leadOf({ evidence, process, request }: StoredAlert): string {
  if (request) return `${request.user}: ${requestText(request)}`;
  const lead = evidence.find(({ key }) => key === "peer" || key === "file" || key === "reason");
  return lead?.value ?? process?.executable ?? "";
}

/** `create pods/exec shop/web-1`. */
export function requestText({ verb, resource, subresource, namespace, name }: ApiRequest): string {
  const what = [resource, subresource].filter((part) => part !== "").join("/");
  const which = [namespace, name].filter((part) => part !== "").join("/");
  return [verb, what, which].filter((part) => part !== "").join(" ");
}

/** The pod, else the container, else the node; of a request the object; what is not known is not guessed. */
export function whereOf({ container, node, attribution, request }: StoredAlert): string {
  if (request) return request.namespace === "" ? request.cluster : `${request.namespace}/${request.name}`;
  if (container) return container.pod ? `${container.pod.namespace}/${container.pod.name}` : container.name;
  return attribution === "host" ? node : "?";
}

/** Both on one line. */
export function summaryOf(alert: StoredAlert): string {
  return [whereOf(alert), leadOf(alert)].filter((part) => part !== "").join(" · ");
}
