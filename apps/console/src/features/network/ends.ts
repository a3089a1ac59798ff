import type { ListedEnd, NetworkEdge, NetworkObserver } from "@bulwark/model";

/** `bare`: containers without a pod. `clients` and `servers` are outside, and at which side of a connection. */
export type GroupKind = "namespace" | "bare" | "nodes" | "clients" | "servers";

/** Where an end stands on the map. */
export interface Place {
  /** Id of its group: `east/shop`, `east/` for containers without a pod, `@clients`, `@servers`, `@nodes`. */
  group: string;
  kind: GroupKind;
  /** Id of itself; an end outside that is a client here and a server there stands twice. */
  member: string;
}

export type PlaceOf = (end: ListedEnd, side: "client" | "server") => Place;

/** Nodes are told from what is outside by the names and addresses that they tell flows under. */
export function createPlaces(observers: readonly NetworkObserver[]): PlaceOf {
  const nodes = new Set(observers.map(({ node }) => node.slice(node.lastIndexOf("/") + 1)));
  return (end, side) => {
    const { workload, name, ip, key, cluster } = end;
    if (workload) {
      const group = `${cluster}/${workload.namespace}`;
      return { group, kind: workload.namespace === "" ? "bare" : "namespace", member: `${group} ${key}` };
    }
    const isNode = (name !== null && nodes.has(name)) || (ip !== null && nodes.has(ip));
    const kind = isNode ? "nodes" : side === "client" ? "clients" : "servers";
    return { group: `@${kind}`, kind, member: `@${kind} ${key}` };
  };
}

/** What an end is called where its group is known already. */
export function ownName({ workload, name, ip, key }: ListedEnd): string {
  if (workload) return workload.name ?? workload.pod ?? key;
  return name ?? ip ?? key;
}

/** What an end is called anywhere: `shop/web`, a name, an address. */
export function endName(end: ListedEnd): string {
  const own = ownName(end);
  return end.workload && end.workload.namespace !== "" ? `${end.workload.namespace}/${own}` : own;
}

/** What a group is called where it has a name of its own: its namespace, with the cluster where there are several. */
export function namespaceName(group: string, clusters: number): string {
  return clusters > 1 ? group : group.slice(group.indexOf("/") + 1);
}

export type Verdict = "denied" | "allowed" | "unjudged";
export const verdicts = ["denied", "allowed", "unjudged"] as const satisfies Verdict[];

/** Denied: policies deny it now, or some of it was denied in the time that is looked at. */
export function verdictOf({ verdict, results }: Pick<NetworkEdge, "verdict" | "results">): Verdict {
  if (verdict?.allowed === false || (results.denied ?? 0) > 0) return "denied";
  return verdict === null ? "unjudged" : "allowed";
}

/** `credential`: a password went by in clear text. `unknown`: neither TLS nor a protocol in clear text was seen. */
export type Encryption = "credential" | "clear" | "some" | "all" | "unknown";
export const encryptions = ["credential", "clear", "some", "all", "unknown"] as const satisfies Encryption[];

export function encryptionOf({
  credential,
  clear,
  encrypted,
  connections,
}: Pick<NetworkEdge, "credential" | "clear" | "encrypted" | "connections">): Encryption {
  if (credential) return "credential";
  if (encrypted > 0 && encrypted >= connections) return "all";
  if (clear.length > 0) return "clear";
  return encrypted > 0 ? "some" : "unknown";
}
