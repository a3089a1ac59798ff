import type { AddressBlock } from "../address.ts";
import type { Node } from "../read.ts";

/** What a name in a policy stands for, as far as the caller knows it. */
export interface Resolve {
  /** Addresses of a domain name, or of a pattern such as `*.example.com`. */
  domain(node: Node, name: string): AddressBlock[];
  /** Addresses of an entity that is none of pods, nodes and the world, such as `kube-apiserver`. */
  entity(node: Node, name: string): AddressBlock[];
}
