import type { ActivityRecord } from "./activity-record.ts";
import type { FlowRecord, OpeningRecord } from "./flow-record.ts";
import type { EnforcementWay } from "./policy.ts";

/**
 * What the kernel said, before anybody gave it a name: the decoded frames of the C sensor. Ids are the host's, times are
 * nanoseconds since boot (`CLOCK_BOOTTIME`) as bigint.
 */
export type SensorRecord = ProcessRecord | ExitRecord | ConnectionRecord | ActivityRecord | LossRecord | ReadyRecord;

/**
 * All that comes from the sensor: besides what the kernel said of processes, what it counted of the network, and what the
 * sensor says of the policies that it was given.
 */
export type DecodedRecord = SensorRecord | FlowRecord | OpeningRecord | EnforcementRecord | ReplyRecord;

/**
 * A process that began a program (`exec`), was made by another (`fork`), or was there when the sensor started. A `fork` tells
 * of arguments, executable and working directory only where they are not those of a parent that is told of.
 */
export interface ProcessRecord {
  type: "exec" | "fork" | "snapshot";
  /** Number of the frame, without gaps; a gap is a loss between sensor and reader. */
  sequence: bigint;
  time: bigint;
  pid: number;
  parentPid: number;
  startTime: bigint;
  parentStartTime: bigint;
  /** Inside the innermost PID namespace. */
  containerPid: number;
  mountNamespace: number;
  pidNamespace: number;
  networkNamespace: number;
  userNamespace: number;
  cgroupNamespace: number;
  /** Paths of the process's cgroup, from the v2 hierarchy and from one v1 hierarchy that is not at its root. */
  cgroups: string[];
  uid: number;
  gid: number;
  effectiveUid: number;
  savedUid: number;
  /** Of the login that it descends from (loginuid); 4294967295: of none. */
  loginUid: number;
  /** Effective, permitted and inheritable capability set. */
  capabilities: bigint;
  permitted: bigint;
  inheritable: bigint;
  /** Session (setsid(2)) and process group, by their first process. */
  session: number;
  processGroup: number;
  /** Controlling terminal as a device number of stat(2); 0: none. */
  terminal: number;
  /** Of a `fork`: the flags of clone(2). */
  cloneFlags: bigint;
  name: string;
  /**
   * The file that runs, from its dentry up to the root of the process: links and bind mounts are seen through. A file
   * outside of that root starts with `(unreachable)`, as getcwd(2) has it; a path that was too long to tell whole
   * starts with `…`; a memfd is only its name (`memfd:x`).
   */
  executable: string;
  /** As passed to execve(2), before the kernel resolved it; empty but for `exec`. */
  filename: string;
  /** The program that reads the script `filename`; empty where that is a program itself. */
  interpreter: string;
  /** Inode number, mode and owner of the executable: a set-user-id program shows here. */
  executableInode: bigint;
  executableMode: number;
  executableUid: number;
  /** Of an `exec`: it gives the process rights that it did not have (set-user-id, file capabilities). */
  gainsRights: boolean;
  arguments: string[];
  argumentsCut: boolean;
  /** `NAME=value`, of the variables that were asked for (`SensorOptions.environment`); only then there, and not of a `fork`. */
  environment?: string[];
  environmentCut?: boolean;
  /** Written like `executable`. */
  workingDirectory: string;
  origin: "lower" | "upper" | "memory" | "plain" | "unknown";
  /** Parent is a kernel thread: a helper that the kernel itself started. */
  kernelParent: boolean;
  stdio: DescriptorRecord[];
}

export interface DescriptorRecord {
  fd: number;
  /** File type bits of the mode (`S_IFMT`); 0 when closed. */
  mode: number;
  inode: number;
  /** Device number of a character device, as stat(2) gives it (`major = (device >> 8) & 0xfff`): tells terminals and /dev/null apart. */
  device: number;
  /** Address family of a socket; 0 otherwise. */
  family: number;
  /** TCP state of a socket. */
  state: number;
  local: { ip: string; port: number } | null;
  remote: { ip: string; port: number } | null;
}

export interface ExitRecord {
  type: "exit";
  sequence: bigint;
  time: bigint;
  pid: number;
  startTime: bigint;
  /** As wait(2) gives it. */
  exitCode: number;
}

/** A TCP connection left (`connect`: SYN sent, by this process) or was taken (`accept`: established on a listener). */
export interface ConnectionRecord {
  type: "connect" | "accept";
  sequence: bigint;
  time: bigint;
  /** 0 where the kernel did it outside of any process (always so for `accept`). */
  pid: number;
  startTime: bigint;
  /** Of the socket; finds the container where `pid` is 0. */
  networkNamespace: number;
  /** The port of a `connect` is 0 unless the socket was bound: the kernel chooses it afterwards. */
  local: { ip: string; port: number };
  remote: { ip: string; port: number };
}

/** What was lost since the sensor started, by cause. Sent once a second while it changes. */
export interface LossRecord {
  type: "loss";
  sequence: bigint;
  time: bigint;
  /** No room in the ring buffer. */
  ring: bigint;
  /** The reader was too slow and the pipe was full. */
  pipe: bigint;
  /** Fields that could not be read in the kernel. */
  unreadable: bigint;
  /** A container's share was used up; `flood` records say which. */
  limited: bigint;
  /** The kernel's queue of file events was full. */
  files: bigint;
  /** Packets and changes of connections that found no room to be counted. */
  flows: bigint;
}

/** First record: the programs are attached. */
export interface ReadyRecord {
  type: "ready";
  sequence: bigint;
  time: bigint;
  /** Which hook serves which kind of event. */
  hooks: { event: string; hook: string }[];
}

/** What became of a policy since it was set: when that changed, at most once a second, and when it ends. */
export interface EnforcementRecord {
  type: "enforcement";
  sequence: bigint;
  time: bigint;
  /** Of the policy. */
  id: bigint;
  /** Refused before it happened; of a policy that does not enforce: what would have been. */
  prevented: bigint;
  /** Got past the refusal: ended as it began, or its packets were dropped. */
  caught: bigint;
  /** Got past both. */
  missed: bigint;
  state: "lasts" | "time-is-over" | "undone" | "container-ended";
  /** The program that was refused last; empty for the network, and where none was. */
  program: string;
  /** Who that was. */
  pid: number;
}

/** The answer to a command. */
export interface ReplyRecord {
  type: "reply";
  sequence: bigint;
  time: bigint;
  id: bigint;
  /** The process that enforces. */
  guard: number;
  ways: EnforcementWay[];
  /** Why it was refused, and how to mend that; null: it was done. */
  refusal: { message: string; remedy: string } | null;
}
