import type { Severity } from "@bulwark/model";
import { defineDetector } from "../detector.ts";

/** Settings that make the kernel start a program of one's choice, or that take its guards away. */
const settings: [RegExp, Severity][] = [
  [/^kernel\/(?:core_pattern|modprobe|poweroff_cmd|hotplug|usermodehelper\/.*|core_pipe_limit)$/, "critical"],
  [/^fs\/binfmt_misc\//, "critical"],
  [/^kernel\/(?:sysrq|panic.*|kexec_load_disabled|modules_disabled)$/, "high"],
  [
    /^kernel\/(?:randomize_va_space|kptr_restrict|dmesg_restrict|unprivileged_bpf_disabled|perf_event_paranoid)$/,
    "high",
  ],
  [/^kernel\/yama\/|^vm\/(?:mmap_min_addr|panic_on_oom|drop_caches)$|^fs\/(?:suid_dumpable|protected_.*)$/, "high"],
];

/** A container writes a setting of the kernel that is no container's own. Those of its network namespace are. */
export const kernelSetting = defineDetector({
  id: "kernel-setting",
  title: "Container changes a setting of the kernel",
  description:
    "A process in a container wrote a kernel setting that holds for the whole machine. core_pattern and modprobe name programs that the kernel runs as root on the host.",
  remedy:
    "Put the old value back (sysctl), find out what wrote it, and take privileged mode from the container: without it /proc/sys is read-only.",
  severity: "critical",
  techniques: ["T1611"],
  needs: ["setting"],
  detect({ record, process }) {
    if (record.operation !== "write") return undefined;
    const { name, value } = record;
    const severity = settings.find(([pattern]) => pattern.test(name))?.[1];
    if (severity === undefined) return undefined;
    return {
      subject: process,
      key: `${name}\u0000${value}`,
      severity,
      evidence: [
        { key: "setting", value: name },
        { key: "value", value: value.trimEnd() },
      ],
    };
  },
});
