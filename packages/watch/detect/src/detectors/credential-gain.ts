import { defineDetector, type Detection, type Detector, type Observation } from "../detector.ts";
import type { Entry } from "../process-table.ts";

/** What a process could do when it was last seen. */
interface Rights {
  uids: readonly number[];
  permitted: bigint;
  userNamespace: number;
  /** It was granted a call that changes its user or its capabilities since. */
  mayChange: boolean;
}

const kept = 20_000;
const changing = /^(?:set(?:re|res|fs)?[ug]id|capset|setgroups)$/;

/**
 * Rights that came from nowhere. A process becomes root by a set-user-id program, by a call that the kernel granted, or in
 * a user namespace of its own; the sensor sees all three. What remains is a kernel that was tricked: Dirty COW, Dirty
 * Pipe, and those that have no name yet. Compared are a program with what started it, and every two moments at which the
 * same process is seen.
 */
export function createCredentialGain(): Detector {
  const known = new Map<string, Rights>();

  return defineDetector({
    id: "credential-gain",
    title: "Process has rights that nothing gave it",
    description:
      "A process is root, or has capabilities, that it did not have a moment before, and no set-user-id program, no granted system call and no user namespace explains it. The kernel was tricked.",
    remedy:
      "Treat the host as broken into: isolate it, keep its memory and disks for the investigation, and update the kernel before it is used again.",
    severity: "critical",
    techniques: ["T1068"],
    needs: ["exec", "fork", "exit", "call", "setting", "device", "signal"],
    detect(observation): Detection | undefined {
      const { process } = observation;
      const key = process.key;
      if (observation.kind === "exit") {
        known.delete(key);
        return undefined;
      }
      const before = known.get(key) ?? inherited(observation);
      const now = rightsNow(observation);
      if (now === undefined) return undefined;
      const mayChange =
        observation.kind === "call" && observation.record.granted === true && changing.test(observation.record.name);
      remember(key, { ...now, mayChange: mayChange || (before?.mayChange === true && observation.kind !== "exec") });
      if (before === undefined || before.mayChange || before.userNamespace !== now.userNamespace) return undefined;
      if (observation.kind === "exec" && process.gainsRights) return undefined;
      const isRoot = now.effectiveUid === 0 && !before.uids.includes(0);
      // The program of root gets everything in its bounding set again; that of another user nothing.
      const gained = now.effectiveUid === 0 && !isRoot ? 0n : now.capabilities & ~before.permitted;
      if (!isRoot && gained === 0n) return undefined;
      return {
        subject: process,
        key,
        evidence: [
          { key: "before", value: `uid ${before.uids.join("/")}, capabilities ${hex(before.permitted)}` },
          { key: "after", value: `uid ${now.effectiveUid}, capabilities ${hex(now.capabilities)}` },
          { key: "program", value: process.executable },
        ],
      };
    },
  });

  /** Of a process that was not seen yet: what its parent could do when it was made. */
  function inherited({ process, table }: Observation): Rights | undefined {
    const parent = table.parent(process);
    return parent && known.get(parent.key);
  }

  function remember(key: string, rights: Rights): void {
    known.delete(key);
    known.set(key, rights);
    const oldest = known.keys().next().value;
    if (known.size > kept && oldest !== undefined) known.delete(oldest);
  }
}

/** What the record itself says, or at exec and fork the process. Undefined where nothing was said. */
function rightsNow(observation: Observation): (Rights & { effectiveUid: number; capabilities: bigint }) | undefined {
  switch (observation.kind) {
    case "exec":
    case "fork":
      return ofProcess(observation.process);
    case "call":
    case "setting":
    case "device":
    case "signal": {
      const { uid, effectiveUid, savedUid, capabilities, userNamespace } = observation.record;
      const permitted = observation.process.permitted | capabilities;
      return {
        uids: [uid, effectiveUid, savedUid],
        effectiveUid,
        capabilities,
        permitted,
        userNamespace,
        mayChange: false,
      };
    }
    default:
      return undefined;
  }
}

function ofProcess(process: Entry): Rights & { effectiveUid: number; capabilities: bigint } {
  const { uid, effectiveUid, savedUid, capabilities, permitted, userNamespace } = process;
  return {
    uids: [uid, effectiveUid, savedUid],
    effectiveUid,
    capabilities,
    permitted,
    userNamespace,
    mayChange: false,
  };
}

function hex(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}
