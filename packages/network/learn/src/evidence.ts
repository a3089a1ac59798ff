import type { Edge } from "@bulwark/flow";

/** What was seen of a rule. */
export interface Evidence {
  connections: number;
  first: number;
  last: number;
  hours: number;
  readonly processes: Set<string>;
  readonly names: Set<string>;
}

export type Confidence = "high" | "medium" | "low";

const mostNames = 8;

export function noEvidence(): Evidence {
  return { connections: 0, first: Infinity, last: 0, hours: 0, processes: new Set(), names: new Set() };
}

export function addEvidence(evidence: Evidence, edge: Edge, name: string | null): void {
  evidence.connections += edge.connections;
  evidence.first = Math.min(evidence.first, edge.first);
  evidence.last = Math.max(evidence.last, edge.last);
  evidence.hours = Math.max(evidence.hours, edge.hours);
  for (const process of edge.processes) if (evidence.processes.size < mostNames) evidence.processes.add(process);
  if (name !== null && evidence.names.size < mostNames) evidence.names.add(name);
}

/** Often and in several hours is a habit; once may be an accident, or an intruder. */
export function confidence({ connections, hours }: Evidence): Confidence {
  if (connections >= 10 && hours >= 3) return "high";
  return connections >= 3 || hours >= 2 ? "medium" : "low";
}

/** One line: `high: 120 connections in 14 hours, 2026-01-01 10:00 to 2026-01-02 09:12 UTC`. */
export function evidenceText(evidence: Evidence): string {
  const { connections, hours, first, last, processes } = evidence;
  const seen = `${connections} ${connections === 1 ? "connection" : "connections"} in ${hours} ${hours === 1 ? "hour" : "hours"}`;
  const when = first === last ? `${minute(first)} UTC` : `${minute(first)} to ${minute(last)} UTC`;
  const by = processes.size === 0 ? "" : `, by ${[...processes].sort().join(", ")}`;
  return `${confidence(evidence)}: ${seen}, ${when}${by}`;
}

function minute(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "?" : date.toISOString().slice(0, 16).replace("T", " ");
}
