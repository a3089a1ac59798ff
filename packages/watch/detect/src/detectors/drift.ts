import type { Container } from "@bulwark/model";
import { defineDetector, type Detection, type Detector, type Observation } from "../detector.ts";
import { interpreterKind } from "../interpreters.ts";
import type { Entry } from "../process-table.ts";

type Writer = Pick<Entry, "pid" | "startTime" | "executable">;

/** Files that are remembered of all containers together; the oldest are forgotten first. */
const kept = 50_000;
/** What containers write for themselves and run by design, before their work begins. */
const isData = /^\/(?:proc|sys)\//;

/**
 * A program that was not in the image. Overlayfs tells whether a file is in the image's layers or in the container's
 * writable one, so that nothing has to be hashed; a file of memfd_create(2) is in no layer at all. Where the root is not
 * an overlay (bare runc on a folder) it cannot be told, and nothing is said. Of a script the kernel runs its interpreter,
 * which is in the image; so what was written in the container is remembered, and a script among it is one that was
 * brought. Of shared objects that were written in the container the sensor tells when one is mapped to be executed. What a
 * program unpacks and loads itself is its own: Java does so with libraries in its archives.
 */
export function createDrift(): Detector {
  const written = new Map<string, Writer>();

  return defineDetector({
    id: "drift",
    title: "Program that is not in the image",
    description:
      "A program ran that was written, or changed in any way (its mode or owner included), after the container started, or that exists only in memory; or a shared object was loaded that was written in the container. Containers run what is in their image; attackers bring their own.",
    remedy:
      "Find out which process wrote the file. If it belongs to the application, build it into the image. If not, treat the container as broken into.",
    severity: "high",
    techniques: ["T1105"],
    needs: ["exec", "file"],
    detect(observation): Detection | undefined {
      const { process, container } = observation;
      if (observation.kind === "file") {
        const { operation, path, newPath } = observation.record;
        if (operation === "execute") return library(observation);
        // Of /dev, which holds nothing of the image, the sensor may tell only what is made.
        if (operation === "write" || (operation === "create" && path.startsWith("/dev/")))
          remember(container, path, process);
        const writer = operation === "rename" && newPath !== "" ? writerOf(container, path) : undefined;
        if (writer) remember(container, newPath, writer);
        return undefined;
      }
      return byOrigin(process) ?? script(process, container);
    },
  });

  function script(process: Entry, container: Container | undefined): Detection | undefined {
    if (process.interpreter === "") return undefined;
    const path = absolute(process.filename, process.workingDirectory);
    return path !== undefined && writerOf(container, path) ? byWriting(process, path) : undefined;
  }

  function library({ process, record, container, table }: Observation<"file">): Detection | undefined {
    const writer = writerOf(container, record.path);
    if (!writer && record.wasWritten !== true) return undefined;
    return writer && isOwnWork(writer, process, table.ancestors(process)) ? undefined : byWriting(process, record.path);
  }

  function writerOf(container: Container | undefined, path: string): Writer | undefined {
    return container && written.get(`${container.id}\u0000${path}`);
  }

  function remember(container: Container | undefined, path: string, { pid, startTime, executable }: Writer): void {
    if (container === undefined || isData.test(path)) return;
    written.set(`${container.id}\u0000${path}`, { pid, startTime, executable });
    const oldest = written.keys().next().value;
    if (written.size > kept && oldest !== undefined) written.delete(oldest);
  }
}

/** The process itself, or the one above it of the same program that unpacked it; a shell is told what to do by others. */
function isOwnWork(writer: Writer, process: Entry, ancestors: readonly Entry[]): boolean {
  if (interpreterKind(process) === "shell") return false;
  return [process, ...ancestors].some(
    ({ pid, startTime, executable }) =>
      pid === writer.pid && startTime === writer.startTime && executable === process.executable,
  );
}

function byWriting(process: Entry, path: string): Detection {
  return {
    subject: process,
    key: path,
    evidence: [
      { key: "file", value: path },
      { key: "origin", value: "written-here" },
      { key: "program", value: process.executable },
    ],
  };
}

function byOrigin(process: Entry): Detection | undefined {
  if (process.origin !== "upper" && process.origin !== "memory") return undefined;
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
}

/** Without its dots. Links are not followed: the kernel told the name that was executed, not where it led. */
function absolute(filename: string, directory: string): string | undefined {
  if (!filename.startsWith("/") && !directory.startsWith("/")) return undefined;
  const parts: string[] = [];
  for (const part of `${filename.startsWith("/") ? "" : directory}/${filename}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
