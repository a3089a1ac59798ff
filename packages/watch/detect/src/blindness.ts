import type { Alert, Evidence, Severity } from "@bulwark/model";
import type { LossRecord } from "@bulwark/sensor";

/** What a node did not see is worth an alert itself: who attacks may have seen to it. */
interface Blindness {
  id: string;
  title: string;
  description: string;
  remedy: string;
  severity: Severity;
  /** MITRE ATT&CK. */
  techniques: string[];
}

const eventsLost: Blindness = {
  id: "events-lost",
  title: "Events were lost",
  description:
    "More happened than could be looked at, and some of it was counted but not seen. It may be a machine that is too busy, or somebody who hides among noise.",
  remedy:
    "Look at what was so busy at that time. If that is ordinary work, give the machine more processors, or each container a smaller share of events (agent.eventRate).",
  severity: "medium",
  techniques: ["T1562.001"],
};

const sensorEnded: Blindness = {
  id: "sensor-ended",
  title: "The sensor ended",
  description:
    "What watches this machine's containers ended although it was wanted. It is started again; what they did meanwhile was not seen.",
  remedy:
    "Find out who ended it: the reason says how it ended, the kernel's log whether memory ran out. If nobody of yours did it, treat the machine as broken into.",
  severity: "high",
  techniques: ["T1562.001"],
};

/** What of a loss is an alert. Not flows, of which a gap is told, nor what a container lost itself, which is `flood`. */
const causes = ["ring", "pipe", "unreadable", "files"] as const;
const minute = 60_000;
const hour = 3_600_000;

/** Where it happened, and when: milliseconds since the epoch. */
interface Where {
  id: string;
  node: string;
  time: number;
}

/**
 * Of the counts that one sensor tells, from its start on: an alert where more than `limit` events were lost within a minute,
 * once an hour.
 */
export function createLossWatch(limit: number): (loss: LossRecord, where: Where) => Alert | undefined {
  let last = { ring: 0n, pipe: 0n, unreadable: 0n, files: 0n };
  let before = last;
  let since = -Infinity;
  let told = -Infinity;
  return ({ ring, pipe, unreadable, files }, where) => {
    const { time } = where;
    // Also where the clock was set back.
    if (time - since > minute || time < since) {
      before = last;
      since = time;
    }
    last = { ring, pipe, unreadable, files };
    const lost = causes
      .map((cause) => ({ cause, count: last[cause] - before[cause] }))
      .filter(({ count }) => count > 0n);
    const all = lost.reduce((sum, { count }) => sum + count, 0n);
    if (all <= BigInt(limit) || (time >= told && time - told < hour)) return undefined;
    told = time;
    return alertOf(
      eventsLost,
      where,
      lost.map(({ cause, count }) => ({ key: `lost.${cause}`, value: String(count) })),
    );
  };
}

/** `reason`: how it ended. */
export function sensorEndedAlert(reason: string, where: Where): Alert {
  return alertOf(sensorEnded, where, [{ key: "reason", value: reason.slice(0, 4096) }]);
}

function alertOf({ id: rule, ...blindness }: Blindness, { id, node, time }: Where, evidence: Evidence[]): Alert {
  return {
    ...{ id: `${id}/${rule}`, time, node, rule, ...blindness, evidence },
    ...{ attribution: "host", container: null, process: null, ancestors: [], events: [] },
  };
}
