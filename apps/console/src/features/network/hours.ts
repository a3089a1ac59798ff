import type { StoredFlow } from "@bulwark/model";

export interface Hour {
  time: number;
  count: number;
}

const hour = 3_600_000;

/** Connections by hour from the first hour to the last, those without any too. */
export function connectionsByHour(
  flows: readonly Pick<StoredFlow, "hour" | "connections">[],
  until: number,
  hours: number,
): Hour[] {
  const last = Math.floor(until / hour) * hour;
  const counts = new Map<number, number>();
  for (const flow of flows) counts.set(flow.hour, (counts.get(flow.hour) ?? 0) + flow.connections);
  return Array.from({ length: hours }, (_, index) => {
    const time = last - (hours - 1 - index) * hour;
    return { time, count: counts.get(time) ?? 0 };
  });
}
