import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Alert } from "@bulwark/model";
import { bulwark } from "../product.ts";

/** `bulwark watch` as a person starts it. */
export interface WatchCommand {
  readonly pid: number;
  /** In the order in which they were told, and when each came: milliseconds since the epoch. */
  readonly alerts: readonly { readonly alert: Alert; readonly at: number }[];
  /** What it has said on standard error so far. */
  said(): string;
  /** Ends it; resolves with what it said on standard error, its figures on the last line. */
  stop(): Promise<string>;
}

export function startCommand(...options: string[]): WatchCommand {
  const child = spawn(bulwark, ["watch", "--format", "json", "--stats", ...options], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const alerts: { alert: Alert; at: number }[] = [];
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  createInterface(child.stdout).on("line", (line) => alerts.push({ alert: JSON.parse(line) as Alert, at: Date.now() }));
  return {
    pid: child.pid ?? 0,
    alerts,
    said: () => said,
    async stop() {
      const ended = once(child, "close");
      child.kill("SIGTERM");
      await ended;
      return said;
    },
  };
}
