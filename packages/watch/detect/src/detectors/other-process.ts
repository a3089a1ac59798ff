import type { CallRecord } from "@bulwark/sensor";
import { defineDetector } from "../detector.ts";
import { answer, callKey, textOf } from "../evidence.ts";

const CAP_SYS_PTRACE = 19;
const calls = new Set(["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "process_madvise"]);
/** What of another process is more than its name: its root, its memory, its open files. */
const inside = /^\/proc\/(?:\d+|self|thread-self)\/(?:task\/\d+\/)?(?:root|cwd|mem|fd|map_files)(?:\/|$)/;

/**
 * A process takes hold of another that it has no right over by itself: the kernel asks for CAP_SYS_PTRACE. Debugging
 * one's own children asks for nothing and is not seen here.
 */
export const otherProcess = defineDetector({
  id: "other-process",
  title: "Container takes hold of another process",
  description:
    "A process in a container traced another one, read or wrote its memory, or went through its root or open files in /proc, and needed CAP_SYS_PTRACE for it. In a container with the host's process ids that is a way to the host.",
  remedy: "Take CAP_SYS_PTRACE and hostPID from the container, unless it is there to debug.",
  severity: "high",
  techniques: ["T1055.008", "T1611"],
  needs: ["call"],
  detect({ record, process }) {
    if (record.capability !== CAP_SYS_PTRACE) return undefined;
    const path = pathOf(record);
    if (!calls.has(record.name) && path === undefined) return undefined;
    const target = path ?? `pid ${record.arguments[record.name === "ptrace" ? 1 : 0] ?? 0n}`;
    return {
      subject: process,
      key: callKey(record),
      severity: record.granted === true ? "high" : "medium",
      evidence: [{ key: "call", value: record.name }, { key: "target", value: target }, answer(record)],
    };
  },
});

function pathOf(record: CallRecord): string | undefined {
  const text = textOf(record);
  return [text(0), text(1)].find((path) => inside.test(path));
}
