import type { StoredFlow } from "@bulwark/model";

const hour = 3_600_000;
const day = 24 * hour;
/** More bars than this are by the day. */
const mostHours = 48;

export interface Span {
  /** Its beginning. */
  time: number;
  count: number;
}

/** Connections by the hour, or by the day where the time is long; also of spans in which nothing was. */
export function connectionsOver(
  flows: readonly Pick<StoredFlow, "hour" | "connections">[],
  since: number,
  until: number,
): { spans: Span[]; byDay: boolean } {
  const byDay = until - since > mostHours * hour;
  const step = byDay ? day : hour;
  const [first, last] = [Math.floor(since / step), Math.floor(Math.max(since, until - 1) / step)];
  const counts = new Map<number, number>();
  for (const flow of flows) {
    const at = Math.floor(flow.hour / step);
    counts.set(at, (counts.get(at) ?? 0) + flow.connections);
  }
  const spans = Array.from({ length: last - first + 1 }, (_, index) => ({
    time: (first + index) * step,
    count: counts.get(first + index) ?? 0,
  }));
  return { spans, byDay };
}
