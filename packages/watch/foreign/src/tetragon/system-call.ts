import { argumentNames, systemCall, type CallRecord } from "@bulwark/sensor";
import { isObject, numberAt, textAt } from "../json.ts";
import { numberOf, textOf, type Argument } from "./argument.ts";
import type { Call, Deed, Reading } from "./deed.ts";
import { descriptorDeed, doneTo } from "./file.ts";
import { socketDeed } from "./socket.ts";

/** `__x64_sys_mount`, `__arm64_sys_mount`, `__ia32_compat_sys_mount`, `sys_mount`, `__sys_connect`. */
const functionName = /^_*(?:(x64|arm64|ia32|ia32_compat|se|do|riscv|s390x?)_)?(compat_)?sys_([a-z]\w*)$/;
const reads = /^(?:read|readv|pread64|preadv2?)$/;
const writes = /^(?:write|writev|pwrite64|pwritev2?)$/;
/** include/uapi/asm-generic/fcntl.h */
const O_ACCMODE = 3n;

/** The call that a function of the kernel serves; undefined where it serves none. */
export function callOf(name: string): { name: string; isCompat: boolean } | undefined {
  const match = functionName.exec(name);
  if (!match) return undefined;
  return { name: match[3] ?? "", isCompat: match[1]?.startsWith("ia32") === true || match[2] !== undefined };
}

/** The call of an argument `{"syscall_id": {"id": 101, "abi": "x64"}}` of the tracepoint of all calls. */
export function callByNumber(args: readonly Argument[]): { name: string; isCompat: boolean } | undefined {
  for (const { syscall_id: told } of args) {
    if (!isObject(told)) continue;
    const number = numberAt(told["id"]);
    const abi = textAt(told["abi"], 16);
    const isCompat = abi === "i386";
    if (number === undefined || (abi !== "x64" && abi !== "arm64" && !isCompat)) return undefined;
    const call = systemCall(abi === "arm64" ? 2 : 1, isCompat, number);
    return call && { name: call.name, isCompat };
  }
  return undefined;
}

export function callDeed(call: Call, isCompat: boolean): Reading {
  const { name, args, returned, isRefused } = call;
  const failed = isRefused || (returned !== null && returned < 0);
  if (name === "execve" || name === "execveat") return "process_exec tells it";
  if (!failed) {
    const done =
      reads.test(name) || writes.test(name) ? descriptorDeed(reads.test(name) ? "read" : "write", call) : onPath(call);
    if (done !== undefined) return done;
    if ((name === "connect" || name === "bind") && args.some((one) => "sockaddr_arg" in one || "sock_arg" in one)) {
      return socketDeed(name, call);
    }
  }
  return {
    type: "call",
    name,
    isCompat,
    ...placed(name, args),
    capability: null,
    granted: grantedOf(call),
    result: returned,
  };
}

/** The kernel's answer, where the end of the call tells it: EPERM is a refusal, what came through was granted. */
function grantedOf({ returned, isRefused }: Call): boolean | null {
  if (isRefused || returned === -1) return false;
  return returned !== null && returned >= 0 ? true : null;
}

/** Files by their whole name, as the caller wrote it: links in it are not seen through. */
function onPath({ name, args }: Call): Deed | undefined {
  const [path = "", other = ""] = args.flatMap((argument) => textOf(argument) ?? []);
  if (!path.startsWith("/")) return undefined;
  switch (name) {
    case "open":
    case "openat": {
      const after = args.slice(args.findIndex((argument) => textOf(argument) !== undefined) + 1);
      const flags = after[0] && numberOf(after[0]);
      return flags === undefined ? undefined : doneTo(path, (flags & O_ACCMODE) === 0n ? "read" : "write");
    }
    case "creat":
      return doneTo(path, "write");
    case "unlink":
    case "unlinkat":
      return doneTo(path, "remove");
    case "rmdir":
      return doneTo(path, "remove", { isDirectory: true });
    case "mkdir":
    case "mkdirat":
      return doneTo(path, "create", { isDirectory: true });
    case "rename":
    case "renameat":
    case "renameat2":
      return other.startsWith("/") ? doneTo(path, "rename", { newPath: other }) : undefined;
    default:
      return undefined;
  }
}

/** Arguments that are texts, by the call's name and their position, as the manual pages have them. */
const textual: ReadonlyMap<string, readonly number[]> = new Map([
  ...positions([0], "umount umount2 fsopen chroot mknod delete_module swapon swapoff acct sethostname setdomainname"),
  ...positions([0], "memfd_create chmod chown lchown open readlink stat chdir execve"),
  ...positions(
    [1],
    "fspick open_tree mount_setattr mknodat finit_module name_to_handle_at fchmodat fchownat fsetxattr",
  ),
  ...positions([1], "openat openat2 readlinkat newfstatat statx quotactl execveat"),
  ...positions([2], "fsconfig init_module"),
  ...positions([3], "kexec_file_load"),
  ...positions([0, 1], "pivot_root setxattr lsetxattr add_key"),
  ...positions([1, 3], "move_mount"),
  ...positions([0, 1, 2], "mount request_key"),
]);

function positions(at: readonly number[], names: string): [string, readonly number[]][] {
  return names.split(" ").map((name) => [name, at]);
}

/**
 * A policy tells some arguments of a call and not which ones they are, unless it labels them. They are taken for those
 * that they can only be, by their order and kind; where they could be several, none is told.
 */
function placed(name: string, args: readonly Argument[]): Pick<CallRecord, "arguments" | "texts"> {
  const names = argumentNames(name);
  const values = names.map(() => 0n);
  const texts = names.map((): string | null => null);
  const ways = fits(args, names, textual.get(name) ?? [], 0);
  const [only] = ways;
  if (only !== undefined && ways.length === 1) {
    args.forEach((argument, index) => {
      const position = only[index] ?? 0;
      values[position] = numberOf(argument) ?? 0n;
      texts[position] = textOf(argument) ?? null;
    });
  }
  return { arguments: values, texts };
}

/** Positions of the arguments, in every way in which they fit; the calls have at most six. */
function fits(args: readonly Argument[], names: readonly string[], texts: readonly number[], from: number): number[][] {
  const [first, ...others] = args;
  if (first === undefined) return [[]];
  const label = textAt(first["label"], 64);
  const ways: number[][] = [];
  for (let at = from; at + others.length < names.length; at++) {
    if (textOf(first) === undefined ? isNumber(first) && texts.includes(at) : !texts.includes(at)) continue;
    if (label !== "" && names.includes(label) && names[at] !== label) continue;
    for (const rest of fits(others, names, texts, at + 1)) ways.push([at, ...rest]);
  }
  return ways;
}

function isNumber(argument: Argument): boolean {
  return numberOf(argument) !== undefined;
}
