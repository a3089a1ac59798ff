import type { Technique } from "./technique.ts";

/** A call that is refused to a plain container, and told all the same. */
const refused = (
  what: string,
  deed: string,
  rule: string,
  detector?: [id: string, call: string],
  more: Partial<Technique> = {},
): Technique => ({
  what,
  in: "plain",
  script: `deeds do ${deed}`,
  alerts: detector ? { [detector[0]]: { call: detector[1] } } : { [rule]: { "proc.cmdline": `deeds do ${deed}` } },
  rules: [rule],
  ...more,
});

/** System calls that few workloads need. */
export const systemCalls: Technique[] = [
  refused("a program for the kernel", "program", "ebpf-program-loaded-in-a-container", ["kernel-tampering", "bpf"]),
  refused("performance counters", "counters", "performance-counters-opened-in-a-container", [
    "kernel-tampering",
    "perf_event_open",
  ]),
  refused("another kernel", "kexec", "kernel-replaced-from-a-container", ["kernel-tampering", "kexec_load"], {
    kernel: "/sys/kernel/kexec_loaded",
  }),
  refused("page faults", "page-faults", "page-faults-handled-by-a-program", undefined, {
    kernel: "/proc/sys/vm/unprivileged_userfaultfd",
  }),
  refused("keys of the kernel", "keys", "keys-of-the-kernel-used-in-a-container"),
  refused("a ring for input and output", "ring", "asynchronous-interface-of-the-kernel-opened", undefined, {
    kernel: "/proc/sys/kernel/io_uring_disabled",
  }),
  refused("a restart", "restart", "machine-restarted-from-a-container", ["kernel-tampering", "reboot"]),
  refused("swap", "swap", "swap-changed-from-a-container", ["kernel-tampering", "swapon"]),
  refused("ports of the machine", "ports", "ports-of-the-machine-accessed", ["kernel-tampering", "ioperm"], {
    kernel: "CONFIG_X86_IOPL_IOPERM",
  }),
  refused("accounting", "accounting", "accounting-of-the-machine-changed", ["kernel-tampering", "acct"]),
  refused("another root", "root", "root-file-system-exchanged-in-a-container"),
  refused("messages of the kernel", "messages", "messages-of-the-kernel-read-or-cleared"),
  refused("the name of the machine", "name", "name-of-the-machine-set"),
  {
    what: "the clock",
    in: "plain",
    script: "date -s 2020-01-01",
    alerts: { "kernel-tampering": { call: "settime" } },
    rules: ["clock-of-the-machine-set"],
  },
  {
    what: "memory of another user's process, advised",
    in: "privileged",
    script: "deeds do another advise",
    alerts: { "other-process": { call: "process_madvise" } },
    rules: ["process-memory-moved-or-advised-by-another"],
  },
];
