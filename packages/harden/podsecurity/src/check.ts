import type { PodView } from "./pod.ts";

/** As in kubernetes/pod-security-admission, policy/: one file for each check, its versions inside. */
export interface Check {
  /** The name under which Kubernetes knows it. */
  readonly id: string;
  /** From this level on. */
  readonly level: "baseline" | "restricted";
  /** Minor version of Kubernetes 1 from which on each one holds, ascending. Before the first there is no check. */
  readonly versions: readonly { readonly from: number; readonly test: (pod: PodView) => Denial | null }[];
}

export interface Denial {
  readonly reason: string;
  readonly detail: string;
}

/** `container "a"`, `containers "a", "b"`. */
export function containersText(names: readonly string[]): string {
  return `${names.length === 1 ? "container" : "containers"} ${quoted(names)}`;
}

/** Each once, in quotes. */
export function quoted(values: readonly string[]): string {
  return [...new Set(values)].map((value) => JSON.stringify(value)).join(", ");
}

/** The pod, containers, or both, as the subject of a sentence. */
export function settersText(pod: boolean, containers: readonly string[]): string {
  const list = [...(pod ? ["pod"] : []), ...(containers.length > 0 ? [containersText(containers)] : [])];
  return list.join(" and ");
}
