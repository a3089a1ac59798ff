import type { Ancestor, Container, ContainerRef, Descriptor, FileOrigin, Process } from "@bulwark/model";
import type { DescriptorRecord } from "@bulwark/sensor";
import type { Entry } from "./process-table.ts";

const pathLimit = 4096;
const argumentLimit = 4096;
const argumentsLimit = 256;

/** A process of the table in the model's words, within the model's bounds. */
export function toProcess(entry: Entry): Process {
  const words = entry.arguments.slice(0, argumentsLimit);
  return {
    pid: entry.pid,
    containerPid: entry.containerPid,
    parentPid: entry.parentPid,
    startTime: String(entry.startTime),
    name: entry.name.slice(0, 64),
    executable: entry.executable.slice(0, pathLimit),
    arguments: words.map((word) => word.slice(0, argumentLimit)),
    argumentsCut:
      entry.argumentsCut || words.length < entry.arguments.length || words.some((word) => word.length > argumentLimit),
    workingDirectory: entry.workingDirectory.slice(0, pathLimit),
    uid: entry.uid,
    gid: entry.gid,
    effectiveUid: entry.effectiveUid,
    capabilities: entry.capabilities.toString(16).padStart(16, "0"),
    origin: origins[entry.origin],
    stdio: entry.stdio.slice(0, 3).map(toDescriptor),
  };
}

export function toAncestor(entry: Entry): Ancestor {
  const { pid, startTime, name, executable, uid } = entry;
  return {
    pid,
    startTime: String(startTime),
    name: name.slice(0, 64),
    executable: executable.slice(0, pathLimit),
    arguments: entry.arguments.slice(0, 64).map((word) => word.slice(0, 1024)),
    uid,
  };
}

export function toContainerRef({ id, name, runtime, image, pod, labels }: Container): ContainerRef {
  return { id, name, runtime, image, pod, labels };
}

const origins: Record<Entry["origin"], FileOrigin> = {
  lower: "image",
  upper: "writable-layer",
  memory: "memory",
  plain: "unknown",
  unknown: "unknown",
};

const typeMask = 0o170_000;

function toDescriptor({ fd, mode, inode, device, family, local, remote }: DescriptorRecord): Descriptor {
  return { fd, kind: kindOf(mode, device, family), inode, local, remote };
}

/** File types and device numbers of stat(2). */
function kindOf(mode: number, device: number, family: number): Descriptor["kind"] {
  if (mode === 0) return "closed";
  switch (mode & typeMask) {
    case 0o140_000:
      if (isInet(family)) return "inet";
      return family === 1 ? "unix" : "other";
    case 0o010_000:
      return "pipe";
    case 0o100_000:
      return "file";
    case 0o040_000:
      return "directory";
    case 0o020_000:
      return characterDevice((device >>> 8) & 0xfff, (device & 0xff) | ((device >>> 12) & 0xf_ff_00));
    default:
      return "other";
  }
}

function characterDevice(major: number, minor: number): Descriptor["kind"] {
  if (major === 1 && minor === 3) return "null";
  if (major === 4 || major === 5 || (major >= 136 && major <= 143)) return "terminal";
  return "device";
}

/** AF_INET and AF_INET6. */
export function isInet(family: number): boolean {
  return family === 2 || family === 10;
}
