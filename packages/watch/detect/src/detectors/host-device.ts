import { defineDetector } from "../detector.ts";

/** Documentation/admin-guide/devices.txt: block devices that hold nothing of the host by themselves. */
const harmlessBlocks = new Set([1, 2, 7, 43, 252]); // ram, floppy, loop, nbd, zram
const memory = 1;
const memoryMinors: Record<number, string> = { 1: "/dev/mem", 2: "/dev/kmem", 4: "/dev/port" };

/** A container makes or opens a disk of the host, or the machine's memory. */
export const hostDevice = defineDetector({
  id: "host-device",
  title: "Container opens a disk or the memory of the host",
  description:
    "A process in a container made or opened the device of a disk, or of the machine's memory. Whoever reads the disk reads every file of the host, whatever its permissions.",
  remedy:
    "Take privileged mode, CAP_MKNOD and the device rules of the container away. If it was opened, treat every secret on that disk as known to others.",
  severity: "critical",
  techniques: ["T1611", "T1006"],
  needs: ["device"],
  detect({ record, process }) {
    const { kind, major, minor, access } = record;
    const name = kind === "block" ? `block ${major}:${minor}` : major === memory ? memoryMinors[minor] : undefined;
    if (name === undefined || (kind === "block" && harmlessBlocks.has(major))) return undefined;
    const isOpened = access.some((way) => way !== "make");
    return {
      subject: process,
      key: `${name}/${isOpened}`,
      severity: isOpened ? "critical" : "high",
      evidence: [
        { key: "device", value: name },
        { key: "access", value: access.join(", ") },
      ],
    };
  },
});
