import { compact, flag, oneOf, text, type Raw } from "../../search.ts";

export const clusterViews = ["workloads", "pods", "namespaces", "nodes", "objects", "audit"] as const;
export type ClusterView = (typeof clusterViews)[number];

/** What the address of a cluster's page may say. */
export interface ClusterSearch {
  view?: ClusterView | undefined;
  namespace?: string | undefined;
  /** Uid of the object whose inside is shown. */
  owner?: string | undefined;
  node?: string | undefined;
  kind?: string | undefined;
  /** A label selector, as of `kubectl -l`. */
  labels?: string | undefined;
  q?: string | undefined;
  unhealthy?: true | undefined;
  gone?: true | undefined;
  /** Uid of the object whose detail is open. */
  id?: string | undefined;
}

export function clusterSearch(raw: Raw): ClusterSearch {
  return compact({
    view: oneOf(clusterViews, raw["view"]),
    namespace: text(raw["namespace"]),
    owner: text(raw["owner"]),
    node: text(raw["node"]),
    kind: text(raw["kind"]),
    labels: text(raw["labels"], 2048),
    q: text(raw["q"]),
    unhealthy: flag(raw["unhealthy"]),
    gone: flag(raw["gone"]),
    id: text(raw["id"]),
  });
}
