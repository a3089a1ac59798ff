import { accessSync, constants, readFileSync } from "node:fs";
import { sensorBinary } from "./build.ts";

export interface SensorAvailability {
  available: boolean;
  /** Why not; empty when it is. */
  reason: string;
  /** What would mend it; empty when it is available. */
  remedy: string;
}

/**
 * Whether the sensor would start here, by cheap looks: kernel, rights, program. The kernel may still refuse, which
 * `startSensor` then tells.
 */
export function sensorAvailability(options: { binary?: string } = {}): SensorAvailability {
  const binary = options.binary ?? sensorBinary;
  if (process.platform !== "linux") return lack(`runs on Linux, not on ${process.platform}`, "Run the agent on Linux.");
  if (!may("/sys/kernel/btf/vmlinux", constants.R_OK)) {
    return lack(
      "the kernel does not describe its types: /sys/kernel/btf/vmlinux cannot be read",
      "Use a kernel with CONFIG_DEBUG_INFO_BTF=y, and mount /sys where the agent runs in a container.",
    );
  }
  if (!mayLoadPrograms()) {
    return lack("may not load eBPF programs", "Run the agent as root with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN.");
  }
  if (!may(binary, constants.X_OK)) return lack(`${binary} is not there or cannot be run`, "Build it: npm run setup");
  return { available: true, reason: "", remedy: "" };
}

function lack(reason: string, remedy: string): SensorAvailability {
  return { available: false, reason, remedy };
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** include/uapi/linux/capability.h */
const CAP_SYS_ADMIN = 1n << 21n;
const CAP_PERFMON_AND_BPF = (1n << 38n) | (1n << 39n);

function mayLoadPrograms(): boolean {
  const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  const set = BigInt(`0x${effective ?? "0"}`);
  return (set & CAP_SYS_ADMIN) !== 0n || (set & CAP_PERFMON_AND_BPF) === CAP_PERFMON_AND_BPF;
}
