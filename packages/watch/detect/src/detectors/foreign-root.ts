import { defineDetector, type Detection } from "../detector.ts";

const unreachable = "(unreachable)";

/**
 * A program or a working directory outside of the container's root. Nothing that a container does by right ends there:
 * - CVE-2024-21626: a descriptor of a host directory leaked into the container, and is its working directory;
 * - CVE-2019-5736: a container executes `/proc/self/exe` of the runtime, to write over it;
 * - a program that is executed through `/proc/PID/root` of a process of the host.
 */
export const foreignRoot = defineDetector({
  id: "foreign-root",
  title: "Container reaches a file outside of its root",
  description:
    "A process in a container runs a program, or works in a directory, that is not below the container's root. A descriptor of the host was left open to it, or it came there through another process.",
  remedy:
    "Update runc (1.1.12 or later) and what builds on it. Stop the container, and look at what the process did on the host.",
  severity: "critical",
  techniques: ["T1611"],
  needs: ["exec"],
  detect({ process }): Detection | undefined {
    const isProgram = process.executable.startsWith(unreachable);
    const isDirectory = process.workingDirectory.startsWith(unreachable);
    if (!isProgram && !isDirectory) return undefined;
    return {
      subject: process,
      key: isProgram ? process.executable : process.workingDirectory,
      evidence: [
        isProgram
          ? { key: "program", value: process.executable }
          : { key: "directory", value: process.workingDirectory },
        { key: "filename", value: process.filename },
      ],
    };
  },
});
