import { z } from "zod";
import { actionPeer } from "./action.ts";

const name = z.string().min(1).max(256);

/** What a quarantine of a workload is asked with. */
export const workloadQuarantineWish = z.strictObject({
  cluster: z.string().min(1).max(128),
  /** Of a workload: the Deployment, StatefulSet, … or the pod that nobody controls. */
  namespace: name,
  workload: name,
  /** Undone by itself after so long: a second to a day. Milliseconds. */
  limitMs: z.number().int().min(1000).max(86_400_000),
  /** Who stays reachable. */
  except: z.array(actionPeer).max(16),
  /** Whether it ends with the sensor (`open`), or lasts until its limit (`closed`). */
  onFailure: z.enum(["open", "closed"]).default("open"),
  reason: z.string().trim().min(1).max(1024),
});

/** All containers of a workload are cut from the network, on every node of its cluster, those that come later too. */
export const workloadQuarantine = workloadQuarantineWish.omit({ limitMs: true }).extend({
  id: z.string().min(1).max(64),
  by: z.string().max(256),
  time: z.number().int(),
  /** When it is over. */
  until: z.number().int(),
});
export type WorkloadQuarantine = z.infer<typeof workloadQuarantine>;

/** Of the action that carries it out for one container: what it begins with tells which quarantine it is of. */
export function quarantineActionId(quarantine: string, container: string, attempt: number): string {
  return `${quarantine}/${container.slice(0, 16)}${attempt === 0 ? "" : `/${attempt}`}`;
}

/** Of which workload's quarantine an action is; undefined where it is of none. */
export function quarantineOf(action: string): string | undefined {
  const slash = action.indexOf("/");
  return action.startsWith("workload-") && slash > 0 ? action.slice(0, slash) : undefined;
}
