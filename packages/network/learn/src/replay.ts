import { endText, type Edge } from "@bulwark/flow";
import type { Cluster, EvaluatorOptions, Problem } from "@bulwark/netpol";
import { carried, type Unfit } from "./eligible.ts";
import { judge } from "./judge.ts";

/** An edge that policies would have denied. */
export interface Denial {
  readonly edge: Edge;
  /** The side that denies; the client's where both do. */
  readonly side: "egress" | "ingress";
  /** Which policy decided and why, for a person. */
  readonly reason: string;
}

export interface Replay {
  /** Edges that were connected and could be judged. */
  readonly edges: number;
  readonly connections: number;
  /** Of these; most connections first. */
  readonly denied: readonly Denial[];
  readonly deniedConnections: number;
  /** Edges on which nothing was ever connected: how many would be let through, and how many not. */
  readonly attempts: { readonly allowed: number; readonly denied: number };
  /** Edges that no policy can speak of, by reason. */
  readonly skipped: ReadonlyMap<Unfit, number>;
  readonly problems: readonly Problem[];
}

/**
 * What policies would have done to flows, given as edges at the grain of pods. `cluster` has the policies, and what
 * is known of pods, namespaces and nodes; pods of the flows are added to it as they were then.
 */
export function replay(edges: readonly Edge[], cluster: Cluster, options: EvaluatorOptions = {}): Replay {
  const { verdicts, problems } = judge(edges, cluster, options);
  const skipped = new Map<Unfit, number>();
  const attempts = { allowed: 0, denied: 0 };
  const denied: Denial[] = [];
  let judged = 0;
  let connections = 0;
  for (const [index, edge] of edges.entries()) {
    const verdict = verdicts[index];
    if (verdict === undefined || typeof verdict === "string") {
      if (verdict !== undefined) skipped.set(verdict, (skipped.get(verdict) ?? 0) + 1);
      continue;
    }
    const { allowed, side, reason } = verdict;
    if (!carried(edge)) {
      attempts[allowed ? "allowed" : "denied"]++;
      continue;
    }
    judged++;
    connections += edge.connections;
    if (!allowed) denied.push({ edge, side, reason });
  }
  denied.sort((a, b) => b.edge.connections - a.edge.connections || (deniedText(a) < deniedText(b) ? -1 : 1));
  return {
    edges: judged,
    connections,
    denied,
    deniedConnections: denied.reduce((sum, { edge }) => sum + edge.connections, 0),
    attempts,
    skipped,
    problems,
  };
}

function deniedText({ edge }: Denial): string {
  return `${endText(edge.client)} ${endText(edge.server)} ${edge.port}`;
}
