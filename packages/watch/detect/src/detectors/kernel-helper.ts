import { defineDetector } from "../detector.ts";
import { commandOf } from "../evidence.ts";

/** What distributions let the kernel start, where they put it. kernel/umh.c and its callers. */
const known = [
  /^\/(?:usr\/)?s?bin\/(?:modprobe|kmod|request-key|bridge-stp|tomoyo-init|nfsdcltrack|nfs_cache_getent|drbdadm|poweroff|reboot)$/,
  /^\/(?:usr\/)?lib(?:exec)?\/(?:systemd\/systemd-(?:coredump|cgroups-agent)|abrt-hook-ccpp)$/,
  /^\/usr\/share\/apport\/apport$/,
];

/**
 * The kernel itself started a program (its parent is a kernel thread) that no distribution lets it start. That is how
 * escapes by release_agent, core_pattern, modprobe, uevent_helper and binfmt_misc end, whatever they began with.
 */
export const kernelHelper = defineDetector({
  id: "kernel-helper",
  title: "The kernel starts a program that is none of the system's",
  description:
    "A kernel thread started a program as root on the host, and it is not one of those that come with the system for that. Containers that may write release_agent, core_pattern or modprobe make the kernel do this.",
  remedy:
    "Find who named the program: /proc/sys/kernel/core_pattern, /proc/sys/kernel/modprobe, release_agent in cgroup mounts, /sys/kernel/uevent_helper. Treat the host as broken into.",
  severity: "critical",
  techniques: ["T1611"],
  needs: ["exec"],
  detect({ process }) {
    if (!process.kernelParent || known.some((pattern) => pattern.test(process.executable))) return undefined;
    return {
      subject: process,
      key: process.executable,
      evidence: [
        { key: "program", value: process.executable },
        { key: "command", value: commandOf(process) },
      ],
    };
  },
});
