import type { CallRecord } from "@bulwark/sensor";
import { defineDetector } from "../detector.ts";
import { answer, callKey, textOf } from "../evidence.ts";

/** File systems through which the kernel itself, or the host's disks, are reached. */
const dangerous = new Set([
  "cgroup",
  "cgroup2",
  "proc",
  "sysfs",
  "debugfs",
  "tracefs",
  "securityfs",
  "bpf",
  "configfs",
  "devtmpfs",
  "efivarfs",
  "binfmt_misc",
  "fusectl",
  "pstore",
]);
const calls = new Set(["mount", "fsopen", "fsmount", "move_mount", "open_tree", "fsconfig", "mount_setattr"]);
/** include/uapi/linux/mount.h */
const MS_BIND = 0x1000n;
const MS_REMOUNT = 0x20n;
const MS_PROPAGATION = 0x1e_0000n;

/**
 * A container mounts: a device, a file system of the kernel (a cgroup mount is the first step to `release_agent`), or
 * anything at all through the new calls (fsopen and its like). What is mounted in a user namespace of its own reaches
 * nothing of the host and is left out. Source of the technique: MITRE T1611.
 */
export const hostFileSystem = defineDetector({
  id: "host-file-system",
  title: "Container mounts a file system",
  description:
    "A process in a container asked the kernel to mount a device or a file system of the kernel. Containers get their file systems from the runtime; mounting one from inside is how the host's disk, cgroups and kernel settings are reached.",
  remedy:
    "If the container needs no mount(2), take CAP_SYS_ADMIN and privileged mode from it. If the mount was granted, treat the host as reachable: see what was mounted, and what was written there.",
  severity: "critical",
  techniques: ["T1611"],
  needs: ["call"],
  detect({ record, process }) {
    if (!calls.has(record.name)) return undefined;
    if (record.userNamespace !== process.userNamespace) return undefined;
    const what = asked(record);
    if (what === undefined) return undefined;
    return {
      subject: process,
      key: callKey(record, ...what),
      severity: record.granted === true ? "critical" : "medium",
      evidence: [
        { key: "call", value: record.name },
        ...(what[0] === "" ? [] : [{ key: "source", value: what[0] }]),
        ...(what[1] === "" ? [] : [{ key: "target", value: what[1] }]),
        ...(what[2] === "" ? [] : [{ key: "type", value: what[2] }]),
        answer(record),
      ],
    };
  },
});

/** Source, target and type of a mount that matters. */
function asked(record: CallRecord): [string, string, string] | undefined {
  const text = textOf(record);
  if (record.name === "fsopen") return dangerous.has(text(0)) || isDisk(text(0)) ? ["", "", text(0)] : undefined;
  // A detached mount of a tree needs no file system of a name: what is attached is told where it goes.
  if (record.name === "move_mount") return ["", text(3), ""];
  if (record.name !== "mount") return undefined;
  const flags = record.arguments[3] ?? 0n;
  const [source, target, type] = [text(0), text(1), text(2)];
  if ((flags & (MS_PROPAGATION | MS_REMOUNT)) !== 0n) return undefined;
  if ((flags & MS_BIND) !== 0n) return isKernels(source) ? [source, target, "bind"] : undefined;
  // proc of one's own PID namespace is what `unshare --mount-proc` mounts; it shows nothing of the host.
  return (dangerous.has(type) && type !== "proc") || source.startsWith("/dev/") || isDisk(type)
    ? [source, target, type]
    : undefined;
}

function isDisk(type: string): boolean {
  return /^(?:ext[234]|xfs|btrfs|vfat|ntfs3?|f2fs|zfs|iso9660|squashfs)$/.test(type);
}

function isKernels(path: string): boolean {
  return /^\/(?:proc|sys)(?:\/|$)/.test(path);
}
