import type { AddressBlock } from "./address.ts";
import type { PortMatch } from "./ports.ts";
import type { Selector } from "./selector.ts";

export type Direction = "ingress" | "egress";

/** Where a policy stands in the order of decisions. `default` is what Kubernetes does when nobody decides: allow. */
export type Tier = "admin" | "network-policy" | "baseline" | "default";

/** Which policy; frozen, one per policy, shared by all that names it. */
export interface PolicyRef {
  readonly kind: string;
  /** Null for policies of the whole cluster. */
  readonly namespace: string | null;
  readonly name: string;
  /** File and line where it was read from a file. */
  readonly source: string | null;
}

/** `NetworkPolicy default/web`. */
export function policyName({ kind, namespace, name }: PolicyRef): string {
  return `${kind} ${namespace === null ? name : `${namespace}/${name}`}`;
}

/** One small form for every kind of policy: who is subject to it, and rules in order per direction. */
export interface Policy {
  readonly ref: PolicyRef;
  readonly tier: "admin" | "network-policy" | "baseline";
  /** Lower comes first within a tier; 0 in the tier of NetworkPolicy, where order means nothing. */
  readonly priority: number;
  readonly subject: PodSet;
  readonly ingress: Section;
  readonly egress: Section;
}

export interface Section {
  /** Pods that are subject to it are closed in this direction except for what rules allow (tier `network-policy`). */
  readonly isolates: boolean;
  readonly rules: readonly Rule[];
}

export const noSection: Section = Object.freeze({ isolates: false, rules: Object.freeze([]) });

export interface Rule {
  readonly action: "allow" | "deny" | "pass";
  /** `spec.ingress[2]`. */
  readonly path: string;
  /** Position in its list. */
  readonly index: number;
  readonly name: string | null;
  /** Null: every port of every protocol. */
  readonly ports: readonly PortMatch[] | null;
  /** Null: every peer. */
  readonly peers: readonly Peer[] | null;
  /** Narrowed further by rules for HTTP, DNS or Kafka, which are not looked at here. */
  readonly layer7: boolean;
}

/** One item of a rule's `from` or `to`. */
export interface Peer {
  readonly path: string;
  readonly index: number;
  readonly match: PeerMatch;
}

export type PeerMatch =
  | { readonly kind: "pods"; readonly pods: PodSet }
  | { readonly kind: "addresses"; readonly blocks: readonly AddressBlock[]; readonly matches: AddressScope }
  | { readonly kind: "nodes"; readonly nodes: Selector }
  /** By what it is, not by address: nodes, pods of the cluster, the world beyond. */
  | { readonly kind: "entity"; readonly entity: "all" | "world" | "world-ipv4" | "world-ipv6" | "cluster" | "nodes" }
  | { readonly kind: "nothing" };

/** Whose addresses a block matches, besides addresses outside the cluster. */
interface AddressScope {
  /** `option`: as `ipBlockMatchesPods` says. */
  readonly pods: boolean | "option";
  readonly nodes: boolean;
}

/** Pods by their namespace and their labels. Pods on the network of their node are in no such set. */
export interface PodSet {
  readonly namespaces: { readonly name: string } | { readonly selector: Selector };
  readonly pods: Selector;
  /** The keys of `pods` are Cilium's: with a prefix, and with labels of the namespace among those of the pod. */
  readonly dialect: "kubernetes" | "cilium";
}
