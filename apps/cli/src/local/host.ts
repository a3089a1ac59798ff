import { readFileSync } from "node:fs";

/** systemd's own services and sessions, some of which have a mount namespace of their own. */
const service = /^\/(?:system\.slice\/[^/]+\.service|user\.slice|init\.scope)(?:\/|$)/;
let own: ReadonlySet<string> | undefined;

/** Whether a process is the host's by its cgroups: those of its services, or those that this process is in itself. */
export function isHost(cgroups: readonly string[]): boolean {
  return cgroups.every((path) => ownCgroups().has(path) || service.test(path));
}

function ownCgroups(): ReadonlySet<string> {
  const lines = (): string[] => readFileSync("/proc/self/cgroup", "utf8").split("\n");
  return (own ??= new Set(lines().map((line) => line.split(":").slice(2).join(":"))));
}
