import type { Config } from "@bulwark/config";

/** `off` lacks something and Bulwark runs without it; `failed` keeps it from running right. */
export type ProbeState = "ok" | "off" | "failed";

/** What one look at the machine found. */
export interface Finding {
  name: string;
  state: ProbeState;
  /** What holds now, on one line. */
  text: string;
  /** What would mend it; empty when it is ok. */
  remedy: string;
}

export interface ProbeContext {
  config: Config;
  /** False: nothing is asked of the network. */
  online: boolean;
}

/** One look at the machine. A new one is a function in a file beside this and a line in `index.ts`. */
export type Probe = (context: ProbeContext) => Promise<Finding | Finding[]>;

export function ok(name: string, text: string): Finding {
  return { name, state: "ok", text, remedy: "" };
}
export function off(name: string, text: string, remedy: string): Finding {
  return { name, state: "off", text, remedy };
}
export function failed(name: string, text: string, remedy: string): Finding {
  return { name, state: "failed", text, remedy };
}
