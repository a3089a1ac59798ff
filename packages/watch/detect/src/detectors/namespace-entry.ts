import { defineDetector } from "../detector.ts";
import { answer, callKey } from "../evidence.ts";

/** include/uapi/linux/sched.h */
const names: [bigint, string][] = [
  [0x2_0000n, "mount"],
  [0x200_0000n, "cgroup"],
  [0x400_0000n, "uts"],
  [0x800_0000n, "ipc"],
  [0x1000_0000n, "user"],
  [0x2000_0000n, "pid"],
  [0x4000_0000n, "network"],
];

/** A process in a container enters other namespaces: nsenter(1) into the host, or into another container. */
export const namespaceEntry = defineDetector({
  id: "namespace-entry",
  title: "Container enters other namespaces",
  description:
    "A process in a container joined namespaces that are not its own (setns(2), as nsenter does). From a container with the host's process ids this is the shortest way to the host.",
  remedy: "Take CAP_SYS_ADMIN and hostPID from the container. If it was granted, look at what the process did next.",
  severity: "critical",
  techniques: ["T1611"],
  needs: ["call"],
  detect({ record, process }) {
    if (record.name !== "setns") return undefined;
    // In a user namespace of its own it joins only what it made.
    if (record.userNamespace !== process.userNamespace) return undefined;
    const flags = record.arguments[1] ?? 0n;
    const joined = names.filter(([bit]) => (flags & bit) !== 0n).map(([, name]) => name);
    return {
      subject: process,
      key: callKey(record),
      severity: record.granted === true ? "critical" : "medium",
      evidence: [
        { key: "call", value: "setns" },
        { key: "namespaces", value: joined.length === 0 ? "any" : joined.join(", ") },
        answer(record),
      ],
    };
  },
});
