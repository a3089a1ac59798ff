import type { Need } from "@bulwark/testkit";
import type { Entrance } from "./entrance.ts";

/**
 * Where a technique is tried:
 * - `plain`: as runc starts containers by default
 * - `privileged`: with every capability and device, and the host's /etc
 * - `host`: plain, with the host's process ids, a token of a service account, and the store of a cluster
 * - `node`: privileged, with the host's process ids
 * - `tools`: plain, on the programs of this machine: bash, python, perl, node, openssl
 */
export const places = ["plain", "privileged", "host", "node", "tools"] as const;
export type Place = (typeof places)[number];

/** One way to attack from a container, done without harm: to the container itself, refused, or of no effect. */
export interface Technique {
  what: string;
  in: Place;
  /** Of a shell. `HOST` in it is the number of the test itself: a process of the host, and a word of its own. */
  script: string;
  /** Alerts that have to come, by rule, each with what its evidence has to say. */
  alerts?: Record<string, Record<string, string>>;
  /** Rules that have to hold of it, too; a detector that speaks of the same keeps them from being told. */
  rules?: string[];
  by?: Entrance;
  /** It waits for others: it runs beside the rest. */
  waits?: true;
  /** What it takes of this machine besides. */
  needs?: Need[];
  /** The kernel has this file, or was configured so; else the technique cannot be tried on it. */
  kernel?: string;
  /** It is how the container was started; its script does nothing. */
  isStart?: true;
  /** Not this container's: the kernel did it, outside of all. */
  outside?: true;
}
