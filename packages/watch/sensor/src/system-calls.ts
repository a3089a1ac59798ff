/**
 * The system calls that the sensor tells of by name: their numbers on x86-64, on arm64 (include/uapi/asm-generic/unistd.h)
 * and in the table of 32-bit x86 programs, and the names of their arguments as their manual pages have them. 0: not there.
 */
export interface SystemCall {
  name: string;
  arguments: readonly string[];
}

const table: [name: string, x8664: number, arm64: number, i386: number, parameters: string][] = [
  ["mount", 165, 40, 21, "source target type flags data"],
  ["umount2", 166, 39, 52, "target flags"],
  ["umount", 0, 0, 22, "target"],
  ["move_mount", 429, 429, 429, "from_dirfd from to_dirfd to flags"],
  ["fsopen", 430, 430, 430, "type flags"],
  ["fsconfig", 431, 431, 431, "fd command key value auxiliary"],
  ["fsmount", 432, 432, 432, "fd flags attributes"],
  ["fspick", 433, 433, 433, "dirfd path flags"],
  ["open_tree", 428, 428, 428, "dirfd path flags"],
  ["mount_setattr", 442, 442, 442, "dirfd path flags attributes size"],
  ["pivot_root", 155, 41, 217, "new_root put_old"],
  ["chroot", 161, 51, 61, "path"],
  ["setns", 308, 268, 346, "fd flags"],
  ["unshare", 272, 97, 310, "flags"],
  ["clone", 56, 220, 120, "flags"],
  ["clone3", 435, 435, 435, "arguments size"],
  ["ptrace", 101, 117, 26, "request pid address data"],
  ["process_vm_readv", 310, 270, 347, "pid local_vector local_count remote_vector remote_count flags"],
  ["process_vm_writev", 311, 271, 348, "pid local_vector local_count remote_vector remote_count flags"],
  ["pidfd_getfd", 438, 438, 438, "pidfd fd flags"],
  ["process_madvise", 440, 440, 440, "pidfd vector count advice flags"],
  ["kcmp", 312, 272, 349, "pid1 pid2 type index1 index2"],
  ["bpf", 321, 280, 357, "command attributes size"],
  ["perf_event_open", 298, 241, 336, "attributes pid cpu group_fd flags"],
  ["open_by_handle_at", 304, 265, 342, "mount_fd handle flags"],
  ["mknod", 133, 0, 14, "path mode device"],
  ["mknodat", 259, 33, 297, "dirfd path mode device"],
  ["init_module", 175, 105, 128, "image length parameters"],
  ["finit_module", 313, 273, 350, "fd parameters flags"],
  ["delete_module", 176, 106, 129, "name flags"],
  ["kexec_load", 246, 104, 283, "entry segments_count segments flags"],
  ["kexec_file_load", 320, 294, 0, "kernel_fd initrd_fd command_line_length command_line flags"],
  ["reboot", 169, 142, 88, "magic magic2 operation argument"],
  ["swapon", 167, 224, 87, "path flags"],
  ["swapoff", 168, 225, 115, "path"],
  ["acct", 163, 89, 51, "path"],
  ["sethostname", 170, 161, 74, "name length"],
  ["setdomainname", 171, 162, 121, "name length"],
  ["settimeofday", 164, 170, 79, "time zone"],
  ["clock_settime", 227, 112, 264, "clock time"],
  ["clock_adjtime", 305, 266, 343, "clock buffer"],
  ["adjtimex", 159, 171, 124, "buffer"],
  ["iopl", 172, 0, 110, "level"],
  ["ioperm", 173, 0, 101, "from count on"],
  ["syslog", 103, 116, 103, "type buffer length"],
  ["quotactl", 179, 60, 131, "command special id address"],
  ["nfsservctl", 180, 42, 169, ""],
  ["lookup_dcookie", 212, 18, 253, "cookie buffer length"],
  ["vhangup", 153, 58, 111, ""],
  ["setuid", 105, 146, 213, "uid"],
  ["setgid", 106, 144, 214, "gid"],
  ["setreuid", 113, 145, 203, "ruid euid"],
  ["setregid", 114, 143, 204, "rgid egid"],
  ["setresuid", 117, 147, 208, "ruid euid suid"],
  ["setresgid", 119, 149, 210, "rgid egid sgid"],
  ["setfsuid", 122, 151, 215, "fsuid"],
  ["setfsgid", 123, 152, 216, "fsgid"],
  ["setgroups", 116, 159, 206, "count list"],
  ["capset", 126, 91, 185, "header data"],
  ["prctl", 157, 167, 172, "option argument2 argument3 argument4 argument5"],
  ["keyctl", 250, 219, 288, "operation argument2 argument3 argument4 argument5"],
  ["add_key", 248, 217, 286, "type description payload length keyring"],
  ["request_key", 249, 218, 287, "type description callout keyring"],
  ["userfaultfd", 323, 282, 374, "flags"],
  ["io_uring_setup", 425, 425, 425, "entries parameters"],
  ["io_uring_enter", 426, 426, 426, "fd to_submit min_complete flags"],
  ["io_uring_register", 427, 427, 427, "fd operation argument count"],
  ["memfd_create", 319, 279, 356, "name flags"],
  ["memfd_secret", 447, 447, 447, "flags"],
  ["fanotify_init", 300, 262, 338, "flags event_flags"],
  ["fanotify_mark", 301, 263, 339, "fd flags mask dirfd path"],
  ["name_to_handle_at", 303, 264, 341, "dirfd path handle mount_id flags"],
  ["ioctl", 16, 29, 54, "fd request argument"],
  ["setsockopt", 54, 208, 366, "fd level option value length"],
  ["socket", 41, 198, 359, "family type protocol"],
  ["kill", 62, 129, 37, "pid signal"],
  ["tkill", 200, 130, 238, "thread signal"],
  ["tgkill", 234, 131, 270, "pid thread signal"],
  ["pidfd_send_signal", 424, 424, 424, "pidfd signal info flags"],
  ["dup", 32, 23, 41, "fd"],
  ["dup2", 33, 0, 63, "fd new_fd"],
  ["dup3", 292, 24, 330, "fd new_fd flags"],
  ["fcntl", 72, 25, 55, "fd command argument"],
  ["fcntl", 0, 0, 221, "fd command argument"],
  ["mprotect", 10, 226, 125, "address length protection"],
  ["pkey_mprotect", 329, 288, 380, "address length protection key"],
  ["personality", 135, 92, 136, "persona"],
  ["mmap", 9, 222, 192, "address length protection flags fd offset"],
  ["splice", 275, 76, 313, "fd_in offset_in fd_out offset_out length flags"],
  ["chmod", 90, 0, 15, "path mode"],
  ["fchmod", 91, 52, 94, "fd mode"],
  ["fchmodat", 268, 53, 306, "dirfd path mode"],
  ["chown", 92, 0, 212, "path uid gid"],
  ["fchown", 93, 55, 207, "fd uid gid"],
  ["lchown", 94, 0, 198, "path uid gid"],
  ["fchownat", 260, 54, 298, "dirfd path uid gid flags"],
  ["setxattr", 188, 5, 226, "path name value size flags"],
  ["lsetxattr", 189, 6, 227, "path name value size flags"],
  ["fsetxattr", 190, 7, 228, "fd name value size flags"],
  ["symlink", 88, 0, 83, "target linkpath"],
  ["symlinkat", 266, 36, 304, "target linkdirfd linkpath"],
  ["link", 86, 0, 9, "oldpath newpath"],
  ["linkat", 265, 37, 303, "olddir oldpath newdir newpath flags"],
  ["open", 2, 0, 5, "path flags mode"],
  ["openat", 257, 56, 295, "dirfd path flags mode"],
  ["openat2", 437, 437, 437, "dirfd path how size"],
  ["readlink", 89, 0, 85, "path buffer size"],
  ["readlinkat", 267, 78, 305, "dirfd path buffer size"],
  ["stat", 4, 0, 106, "path buffer"],
  ["newfstatat", 262, 79, 300, "dirfd path buffer flags"],
  ["statx", 332, 291, 383, "dirfd path flags mask buffer"],
  ["chdir", 80, 49, 12, "path"],
  ["execve", 59, 221, 11, "path arguments environment"],
  ["execveat", 322, 281, 358, "dirfd path arguments environment flags"],
];

/** Those that are told of when they ask for a right (CALL in c/calls.h). */
export const askingCalls: ReadonlySet<string> = new Set([
  ...["mount", "umount2", "umount", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick"],
  ...["mount_setattr", "pivot_root", "chroot", "setns", "unshare", "clone", "clone3", "ptrace"],
  ...["process_vm_readv", "process_vm_writev", "pidfd_getfd", "process_madvise", "kcmp", "bpf"],
  ...["perf_event_open", "open_by_handle_at", "mknod", "mknodat", "init_module", "finit_module"],
  ...["delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "acct", "sethostname"],
  ...["setdomainname", "settimeofday", "clock_settime", "iopl", "ioperm", "syslog", "quotactl", "setuid"],
  ...["setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups"],
  ...["capset", "keyctl", "userfaultfd", "io_uring_setup", "io_uring_register", "fanotify_init"],
]);

/**
 * Those that ask for no right, or not always, so that no hook but a tracepoint of every system call tells of them (TRACED_CALL
 * in c/calls.h): `dup` … of standard descriptors only, `mmap` and `mprotect` where memory becomes executable, `open` … where
 * it emptied a file, was refused (EACCES, EPERM), or the path was written with a `..`.
 */
export const tracedCalls: ReadonlySet<string> = new Set([
  ...["dup", "dup2", "dup3", "fcntl", "socket", "personality", "name_to_handle_at", "memfd_create"],
  ...["mmap", "mprotect", "pkey_mprotect", "add_key", "request_key", "prctl"],
  ...["symlink", "symlinkat", "link", "linkat", "open", "openat", "openat2", "ptrace"],
]);

const machines = ["x86-64", "arm64"] as const;
const native: Record<(typeof machines)[number], Map<number, SystemCall>> = { "x86-64": new Map(), arm64: new Map() };
const compat = new Map<number, SystemCall>();
for (const [name, x8664, arm64, i386, parameters] of table) {
  const call = { name, arguments: parameters === "" ? [] : parameters.split(" ") };
  if (x8664 !== 0) native["x86-64"].set(x8664, call);
  if (arm64 !== 0) native.arm64.set(arm64, call);
  if (i386 !== 0) compat.set(i386, call);
}
const byName = new Map([...native["x86-64"].values()].map((call) => [call.name, call]));

/** `machine`: 1 x86-64, 2 arm64. Undefined where this build does not know the number. */
export function systemCall(machine: number, isCompat: boolean, number: number): SystemCall | undefined {
  if (isCompat) return machine === 1 ? compat.get(number) : undefined;
  const name = machines[machine - 1];
  return name === undefined ? undefined : native[name].get(number);
}

/** Names of the arguments of a call, as its manual page has them; empty where the call is not known. */
export function argumentNames(name: string): readonly string[] {
  return byName.get(name)?.arguments ?? [];
}
