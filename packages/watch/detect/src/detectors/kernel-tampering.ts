import type { Severity } from "@bulwark/model";
import { defineDetector } from "../detector.ts";
import { answer, callKey } from "../evidence.ts";

/** What hands the kernel, the hardware or files past all permissions to a container, by how bad that is when granted. */
const calls: Record<string, { severity: Severity; techniques: string[]; capability?: number }> = {
  init_module: { severity: "critical", techniques: ["T1547.006", "T1014"] },
  finit_module: { severity: "critical", techniques: ["T1547.006", "T1014"] },
  delete_module: { severity: "critical", techniques: ["T1547.006"] },
  kexec_load: { severity: "critical", techniques: ["T1014"] },
  kexec_file_load: { severity: "critical", techniques: ["T1014"] },
  iopl: { severity: "critical", techniques: ["T1611"] },
  ioperm: { severity: "critical", techniques: ["T1611"] },
  reboot: { severity: "critical", techniques: ["T1529"] },
  // Shocker: opens a file of the host by its number, past the root of the container.
  open_by_handle_at: { severity: "critical", techniques: ["T1611"] },
  bpf: { severity: "high", techniques: ["T1014"] },
  perf_event_open: { severity: "medium", techniques: ["T1068"] },
  acct: { severity: "medium", techniques: ["T1562"] },
  swapon: { severity: "medium", techniques: ["T1499"] },
  swapoff: { severity: "medium", techniques: ["T1499"] },
  settimeofday: { severity: "medium", techniques: ["T1070.006"], capability: 25 },
  clock_settime: { severity: "medium", techniques: ["T1070.006"], capability: 25 },
};

/** A container asks for what changes the kernel of everybody. */
export const kernelTampering = defineDetector({
  id: "kernel-tampering",
  title: "Container changes the kernel",
  description:
    "A process in a container asked the kernel for something that acts on the whole machine: to load a module or a program, to open files by their number, to reach the hardware, to boot or set the clock.",
  remedy:
    "Take the capability from the container. If it was granted, the kernel of this machine is no longer to be trusted: move the workloads away and install it anew.",
  severity: "critical",
  techniques: ["T1611"],
  needs: ["call"],
  detect({ record, process }) {
    const known = calls[record.name];
    if (known === undefined || (known.capability !== undefined && known.capability !== record.capability))
      return undefined;
    return {
      subject: process,
      key: callKey(record),
      severity: record.granted === true ? known.severity : "medium",
      techniques: known.techniques,
      evidence: [{ key: "call", value: record.isCompat ? `${record.name} (32-bit)` : record.name }, answer(record)],
    };
  },
});
