import { parseCidr, strictlyInside, type AddressBlock, type AddressRange } from "./address.ts";
import type { PeerMatch, PodSet } from "./policy.ts";
import { expectObject, fail, field, items, show, text, type Node } from "./read.ts";
import { everything, readSelector } from "./selector.ts";

/** An `ipBlock`, or Cilium's `CIDRRule`: `cidr`, less what is in `except`. */
export function readBlock(node: Node, fields: readonly string[] = ["cidr", "except"]): AddressBlock | undefined {
  if (!expectObject(node, fields)) return undefined;
  const cidr = field(node, "cidr");
  if (cidr === undefined) fail(node, "needs a cidr");
  const range = cidr && readCidr(cidr);
  if (range === undefined) return undefined;
  const except: AddressRange[] = [];
  for (const item of items(field(node, "except"))) {
    const inner = readCidr(item);
    if (inner === undefined) continue;
    if (strictlyInside(inner, range)) except.push(inner);
    else fail(item, `${show(item.value)} must be a part of ${show(cidr?.value)}, and smaller`);
  }
  return { range, except };
}

export function readCidr(node: Node): AddressRange | undefined {
  const value = text(node);
  const range = value === undefined ? undefined : parseCidr(value);
  if (value !== undefined && range === undefined)
    fail(node, `${show(value)} is no CIDR such as 10.0.0.0/8 or fd00::/8`);
  return range;
}

/** `{namespaceSelector, podSelector}` of the policies for the whole cluster. */
function readNamespacedPods(node: Node): PodSet {
  expectObject(node, ["namespaceSelector", "podSelector"]);
  return {
    namespaces: { selector: readSelector(field(node, "namespaceSelector")) },
    pods: readSelector(field(node, "podSelector")),
    dialect: "kubernetes",
  };
}

/** All pods of the namespaces that a selector takes. */
function readNamespaces(node: Node): PodSet {
  return { namespaces: { selector: readSelector(node) }, pods: everything, dialect: "kubernetes" };
}

/** The fields of a `subject`, or of a peer, of the policies for the whole cluster that are about pods. */
export function readPods(node: Node): PodSet | undefined {
  const namespaces = field(node, "namespaces");
  if (namespaces) return readNamespaces(namespaces);
  const pods = field(node, "pods");
  return pods && readNamespacedPods(pods);
}

export function podsPeer(pods: PodSet): PeerMatch {
  return { kind: "pods", pods };
}
