import { BulwarkError } from "@bulwark/model";
import type { Check } from "./check.ts";
import { allowPrivilegeEscalation } from "./checks/allow-privilege-escalation.ts";
import { appArmorProfile } from "./checks/app-armor-profile.ts";
import { capabilitiesBaseline, capabilitiesRestricted } from "./checks/capabilities.ts";
import { hostNamespaces } from "./checks/host-namespaces.ts";
import { hostPathVolumes } from "./checks/host-path-volumes.ts";
import { hostPorts } from "./checks/host-ports.ts";
import { hostProbesAndHostLifecycle } from "./checks/host-probes-and-host-lifecycle.ts";
import { privileged } from "./checks/privileged.ts";
import { procMount, procMountRestricted } from "./checks/proc-mount.ts";
import { restrictedVolumes } from "./checks/restricted-volumes.ts";
import { runAsNonRoot } from "./checks/run-as-non-root.ts";
import { runAsUser } from "./checks/run-as-user.ts";
import { seccompProfileBaseline, seccompProfileRestricted } from "./checks/seccomp-profile.ts";
import { seLinuxOptions } from "./checks/selinux-options.ts";
import { sysctls } from "./checks/sysctls.ts";
import { windowsHostProcess } from "./checks/windows-host-process.ts";
import { viewPod } from "./pod.ts";

/** Every check, those of the baseline first. */
export const checks: readonly Check[] = [
  privileged,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle,
  windowsHostProcess,
  capabilitiesBaseline,
  appArmorProfile,
  seccompProfileBaseline,
  seLinuxOptions,
  procMount,
  sysctls,
  allowPrivilegeEscalation,
  runAsNonRoot,
  runAsUser,
  capabilitiesRestricted,
  seccompProfileRestricted,
  procMountRestricted,
  restrictedVolumes,
];

export const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];

export interface Violation {
  /** The check by the name that Kubernetes gives it. */
  readonly check: string;
  /** In a few words. */
  readonly reason: string;
  /** Who, and what must be set or must not. */
  readonly detail: string;
}

export class PodSecurityError extends BulwarkError<"unknown-level" | "unknown-version"> {}

/**
 * What a pod (an object with `metadata` and `spec`, such as a workload's template) has against a level of the Pod
 * Security Standards, as of a version of Kubernetes: `v1.31`, `1.31` or `latest`. None: it passes. At level restricted
 * the checks of the baseline are all reported too, also where a stricter one says the same.
 *
 * Raises `PodSecurityError` for a level or a version that there is not.
 */
export function checkPod(level: Level, version: string, pod: unknown): Violation[] {
  if (!levels.includes(level)) {
    throw new PodSecurityError("unknown-level", `${JSON.stringify(level)} is no level`, { remedy: levels.join(", ") });
  }
  const minor = minorOf(version);
  if (level === "privileged") return [];
  const view = viewPod(pod);
  return checks.flatMap((check) => {
    if (level === "baseline" && check.level === "restricted") return [];
    const denial = check.versions.findLast(({ from }) => from <= minor)?.test(view);
    return denial ? [{ check: check.id, ...denial }] : [];
  });
}

function minorOf(version: string): number {
  if (version === "latest") return Number.POSITIVE_INFINITY;
  const match = /^v?1\.(0|[1-9]\d{0,3})$/.exec(version);
  if (match) return Number(match[1]);
  throw new PodSecurityError("unknown-version", `${JSON.stringify(version)} is no version of Kubernetes`, {
    remedy: "such as v1.31, or latest",
  });
}
