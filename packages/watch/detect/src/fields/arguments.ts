import { constants } from "node:fs";

/** Flags and constants of system calls by name, as rules ask for them. Source: include/uapi/linux. */

const namespaces: [bit: bigint, name: string][] = [
  [0x0002_0000n, "CLONE_NEWNS"],
  [0x0200_0000n, "CLONE_NEWCGROUP"],
  [0x0400_0000n, "CLONE_NEWUTS"],
  [0x0800_0000n, "CLONE_NEWIPC"],
  [0x1000_0000n, "CLONE_NEWUSER"],
  [0x2000_0000n, "CLONE_NEWPID"],
  [0x4000_0000n, "CLONE_NEWNET"],
];
const mountFlags: [bit: bigint, name: string][] = [
  [1n, "MS_RDONLY"],
  [2n, "MS_NOSUID"],
  [4n, "MS_NODEV"],
  [8n, "MS_NOEXEC"],
  [32n, "MS_REMOUNT"],
  [4096n, "MS_BIND"],
  [8192n, "MS_MOVE"],
  [16_384n, "MS_REC"],
  [0x2_0000n, "MS_UNBINDABLE"],
  [0x4_0000n, "MS_PRIVATE"],
  [0x8_0000n, "MS_SLAVE"],
  [0x10_0000n, "MS_SHARED"],
];
const requests: Readonly<Record<string, string>> = {
  "0": "PTRACE_TRACEME",
  "1": "PTRACE_PEEKTEXT",
  "2": "PTRACE_PEEKDATA",
  "3": "PTRACE_PEEKUSR",
  "4": "PTRACE_POKETEXT",
  "5": "PTRACE_POKEDATA",
  "6": "PTRACE_POKEUSR",
  "7": "PTRACE_CONT",
  "8": "PTRACE_KILL",
  "12": "PTRACE_GETREGS",
  "13": "PTRACE_SETREGS",
  "16": "PTRACE_ATTACH",
  "17": "PTRACE_DETACH",
  "24": "PTRACE_SYSCALL",
  "16902": "PTRACE_SEIZE",
};
const bpfCommands: Readonly<Record<string, string>> = {
  "0": "BPF_MAP_CREATE",
  "1": "BPF_MAP_LOOKUP_ELEM",
  "2": "BPF_MAP_UPDATE_ELEM",
  "5": "BPF_PROG_LOAD",
  "6": "BPF_OBJ_PIN",
  "7": "BPF_OBJ_GET",
  "8": "BPF_PROG_ATTACH",
  "28": "BPF_LINK_CREATE",
};
const fileTypes: Readonly<Record<string, string>> = {
  "4096": "S_IFIFO",
  "8192": "S_IFCHR",
  "24576": "S_IFBLK",
  "32768": "S_IFREG",
  "49152": "S_IFSOCK",
};

/** include/linux/socket.h */
const domains: Readonly<Record<number, string>> = {
  1: "AF_UNIX",
  2: "AF_INET",
  10: "AF_INET6",
  16: "AF_NETLINK",
  17: "AF_PACKET",
  38: "AF_ALG",
  40: "AF_VSOCK",
};

export function socketDomain(family: number): string {
  return domains[family] ?? String(family);
}

/** An argument that is no text: by name where it is one of the known, else its number. */
export function argumentText(call: string, parameter: string, value: bigint): string {
  switch (`${call}.${parameter}`) {
    case "mount.flags":
      return bits(value, mountFlags);
    case "unshare.flags":
    case "setns.flags":
    case "clone.flags":
    case "clone3.flags":
      return bits(value, namespaces);
    case "ptrace.request":
      return requests[String(value)] ?? String(value);
    case "bpf.command":
      return bpfCommands[String(value)] ?? String(value);
    case "socket.family":
      return socketDomain(Number(value));
    case "mknod.mode":
    case "mknodat.mode":
      return fileTypes[String(value & 0o170_000n)] ?? "S_IFREG";
    default:
      return String(BigInt.asIntN(64, value));
  }
}

const openFlags = [
  ...(["O_CREAT", "O_EXCL", "O_NOCTTY", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_DSYNC"] as const),
  ...(["O_DIRECT", "O_DIRECTORY", "O_NOFOLLOW"] as const),
];

/** As Falco writes those of open(2): how it may be used first. */
export function openFlagsText(flags: number): string {
  const access = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR"][flags & 3] ?? "";
  const set = openFlags.filter((name) => (flags & constants[name]) !== 0);
  return [access, ...set].join("|");
}

function bits(value: bigint, known: readonly [bit: bigint, name: string][]): string {
  const set = known.filter(([bit]) => (value & bit) !== 0n).map(([, name]) => name);
  return set.length === 0 ? String(value) : set.join("|");
}
