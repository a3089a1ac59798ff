import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { release } from "node:os";
import { failed, off, ok, type Finding } from "./probe.ts";

export async function kernel(): Promise<Finding> {
  if (process.platform !== "linux") return off("kernel", process.platform, "the sensor needs Linux 5.8 or newer");
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const text = `Linux ${release()}`;
  if (major > 5 || (major === 5 && minor >= 8)) return ok("kernel", text);
  return off("kernel", text, "the sensor needs Linux 5.8 or newer (BPF ring buffer)");
}

export async function btf(): Promise<Finding> {
  if (existsSync("/sys/kernel/btf/vmlinux")) return ok("kernel types", "/sys/kernel/btf/vmlinux");
  return off("kernel types", "no /sys/kernel/btf/vmlinux", "use a kernel with CONFIG_DEBUG_INFO_BTF=y, as Debian's is");
}

/** Bits of include/uapi/linux/capability.h that the sensor needs while it loads. */
const needed = { CAP_SYS_ADMIN: 21n, CAP_PERFMON: 38n, CAP_BPF: 39n, CAP_SYS_PTRACE: 19n };

export async function capabilities(): Promise<Finding> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const lacking = Object.entries(needed).filter(([, bit]) => ((effective >> bit) & 1n) === 0n);
  if (lacking.length === 0) return ok("capabilities", Object.keys(needed).join(" "));
  const names = lacking.map(([name]) => name).join(" ");
  return off("capabilities", `lacking ${names}`, "run as root; without them the sensor and the runtimes stay off");
}

export async function cgroups(): Promise<Finding> {
  const mounts = await readFile("/proc/self/mounts", "utf8").catch(() => "");
  const v2 = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  const v1 = /^\S+ \S+ cgroup /m.test(mounts);
  if (v2 === undefined && !v1) {
    return failed(
      "cgroups",
      "no cgroup file system is mounted",
      "mount one: containers are told apart by their cgroups",
    );
  }
  if (v2 === undefined) return ok("cgroups", "version 1");
  return ok("cgroups", v1 ? `versions 1 and 2 (hybrid; v2 at ${v2})` : `version 2 at ${v2}`);
}
