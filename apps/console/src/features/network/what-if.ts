import type { NetworkDenial, ReplayedPolicies } from "@bulwark/contract";
import type { ListedEnd, NetworkEdge } from "@bulwark/model";
import { endName } from "./ends.ts";

/** What policies that are tried would deny of what was seen, as the map marks it. */
export interface WhatIf {
  /** By pair of ends; the first denial of each. */
  denied: ReadonlyMap<string, NetworkDenial>;
}

export function whatIfOf({ denied }: Pick<ReplayedPolicies, "denied">): WhatIf {
  const pairs = new Map<string, NetworkDenial>();
  for (const one of denied) {
    const pair = pairOf(one);
    if (!pairs.has(pair)) pairs.set(pair, one);
  }
  return { denied: pairs };
}

/** Denials are told by pod, edges by workload: both are called the same. */
function pairOf({ client, server }: Pick<NetworkEdge, "client" | "server">): string {
  return `${whole(client)}\n${whole(server)}`;
}

function whole(end: ListedEnd): string {
  return `${end.cluster} ${endName(end)}`;
}

export function isDenied(whatIf: WhatIf | undefined, edge: NetworkEdge): boolean {
  return whatIf?.denied.has(pairOf(edge)) ?? false;
}
