import type { ActivityEvent, Process, ProcessEvent } from "@bulwark/model";
import { activityText } from "./activity-text.ts";

/** Names a process for good. */
export function keyOf({ pid, startTime }: Pick<Process, "pid" | "startTime">): string {
  return `${pid}/${startTime}`;
}

export interface Deeds {
  /** What each process touched, by its key, oldest first, each thing once. Foreign text. */
  readonly touched: ReadonlyMap<string, readonly string[]>;
  /** Whom a process started, and those in turn, in the order of a tree; 1: its own children. */
  descendants: (key: string) => { process: Process; depth: number }[];
}

const mostDescendants = 20;

/** From events of one container, oldest first. Of a process that began several programs the last counts. */
export function deedsOf(events: readonly (ProcessEvent | ActivityEvent)[]): Deeds {
  const touched = new Map<string, Set<string>>();
  const children = new Map<string, Map<string, Process>>();
  for (const event of events) {
    const { process, ancestors } = event;
    const key = keyOf(process);
    const parent = ancestors[0] && keyOf(ancestors[0]);
    if (parent !== undefined && parent !== key) {
      const siblings = children.get(parent) ?? new Map<string, Process>();
      children.set(parent, siblings.set(key, process));
    }
    const text = deed(event);
    if (text === "") continue;
    const own = touched.get(key) ?? new Set<string>();
    touched.set(key, own.add(text));
  }
  return {
    touched: new Map([...touched].map(([key, texts]) => [key, [...texts]])),
    descendants(key) {
      const found: { process: Process; depth: number }[] = [];
      const seen = new Set([key]);
      const add = (of: string, depth: number): void => {
        for (const [child, process] of children.get(of) ?? []) {
          if (found.length >= mostDescendants || seen.has(child)) continue;
          seen.add(child);
          found.push({ process, depth });
          add(child, depth + 1);
        }
      };
      add(key, 1);
      return found;
    },
  };
}

function deed(event: ProcessEvent | ActivityEvent): string {
  if (!("connection" in event)) return activityText(event);
  const remote = event.kind === "connect" ? event.connection?.remote : undefined;
  return remote ? `→ ${remote.ip.includes(":") ? `[${remote.ip}]` : remote.ip}:${remote.port}` : "";
}
