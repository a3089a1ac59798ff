import type { Detection, Detector, Observation } from "../detector.ts";

/**
 * An executable that was not in the image. Overlayfs tells whether a file is in the image's layers or in the container's
 * writable one, so that nothing has to be hashed; a file of memfd_create(2) is in no layer at all. Where the root is not
 * an overlay (bare runc on a folder) it cannot be told, and nothing is said.
 */
export const drift: Detector = {
  id: "drift",
  title: "Program that is not in the image",
  description:
    "A program ran that was written, or changed in any way (its mode or owner included), after the container started, or that exists only in memory. Containers run what is in their image; attackers bring their own.",
  remedy:
    "Find out which process wrote the file. If it belongs to the application, build it into the image. If not, treat the container as broken into.",
  severity: "high",
  techniques: ["T1105"],
  detect({ kind, process }: Observation): Detection | undefined {
    if (kind !== "exec" || (process.origin !== "upper" && process.origin !== "memory")) return undefined;
    const inMemory = process.origin === "memory";
    return {
      subject: process,
      key: process.executable,
      evidence: [
        { key: "file", value: process.executable },
        { key: "origin", value: inMemory ? "memory" : "writable-layer" },
      ],
      ...(inMemory && { severity: "critical" as const, techniques: ["T1620"] }),
    };
  },
};
