import type { ActivityRecord, CallRecord, DescriptorRecord, ProcessRecord, SensorRecord } from "@bulwark/sensor";

/** Builds the records of a small story for tests: who forked and executed what, with which descriptors. */
export interface Story {
  exec(pid: number, command: string, change?: Partial<ProcessRecord>): ProcessRecord;
  fork(parent: number, pid: number, change?: Partial<ProcessRecord>): ProcessRecord;
  connect(pid: number, ip: string, port: number): SensorRecord;
  exit(pid: number): SensorRecord;
  /** What a process did besides: `{ type: "setting", … }`, by a root that has every capability unless `done` says else. */
  does(pid: number, done: Done): SensorRecord;
  /** A system call, granted unless said otherwise, with the texts of its arguments. */
  call(pid: number, name: string, texts?: (string | null)[], change?: Partial<CallRecord>): SensorRecord;
}

type Actor =
  | "sequence"
  | "time"
  | "startTime"
  | "thread"
  | `${string}Namespace`
  | `${string}id`
  | "uid"
  | "capabilities";
/** Of each kind of record what its actor does not say. */
type Done = ActivityRecord extends infer One
  ? One extends ActivityRecord
    ? Omit<One, Actor> & Partial<One>
    : never
  : never;

export function pipe(fd: number, inode = 77): DescriptorRecord {
  return { fd, mode: 0o010_600, inode, device: 0, family: 0, state: 0, local: null, remote: null };
}
/** The slave of a pseudo-terminal. */
export function terminal(fd: number): DescriptorRecord {
  return { ...pipe(fd), mode: 0o020_620, device: 0x8800 };
}
export function unix(fd: number): DescriptorRecord {
  return { ...pipe(fd), mode: 0o140_777, family: 1 };
}
export function socket(fd: number, ip: string, port: number): DescriptorRecord {
  const local = { ip: "172.17.0.2", port: 40_000 };
  return { ...pipe(fd), mode: 0o140_777, family: ip.includes(":") ? 10 : 2, state: 1, local, remote: { ip, port } };
}
/** What a container without a terminal begins with: three pipes whose other ends are the runtime's. */
const pipes = [pipe(0, 75), pipe(1, 76), pipe(2)];
export function sockets(ip: string, port: number): DescriptorRecord[] {
  return [0, 1, 2].map((fd) => socket(fd, ip, port));
}

export function story(cgroup = "/default/c1"): Story {
  let sequence = 0n;
  const parents = new Map<number, number>();
  const record = (type: ProcessRecord["type"], pid: number, change: Partial<ProcessRecord>): ProcessRecord => ({
    type,
    sequence: ++sequence,
    time: sequence * 1000n,
    pid,
    parentPid: parents.get(pid) ?? 0,
    startTime: BigInt(pid),
    parentStartTime: BigInt(parents.get(pid) ?? 0),
    containerPid: pid,
    mountNamespace: 2,
    pidNamespace: 3,
    networkNamespace: 4,
    userNamespace: 5,
    cgroupNamespace: 6,
    cgroups: [cgroup],
    uid: 0,
    gid: 0,
    effectiveUid: 0,
    savedUid: 0,
    loginUid: 4_294_967_295,
    capabilities: 0n,
    permitted: 0n,
    inheritable: 0n,
    session: pid,
    processGroup: pid,
    terminal: 0,
    cloneFlags: 0n,
    name: "",
    executable: "",
    filename: "",
    interpreter: "",
    executableInode: 0n,
    executableMode: 0o100_755,
    executableUid: 0,
    gainsRights: false,
    arguments: [],
    argumentsCut: false,
    workingDirectory: "/",
    origin: "lower",
    kernelParent: false,
    stdio: pipes,
    ...change,
  });
  return {
    exec(pid, command, change = {}) {
      const words = command.split(" ");
      const [executable = ""] = words;
      return record("exec", pid, { executable, arguments: words, name: executable.split("/").at(-1) ?? "", ...change });
    },
    fork(parent, pid, change = {}) {
      parents.set(pid, parent);
      return record("fork", pid, change);
    },
    connect(pid, ip, port) {
      const at = ++sequence;
      const ends = { local: { ip: "172.17.0.2", port: 0 }, remote: { ip, port } };
      return {
        type: "connect",
        sequence: at,
        time: at * 1000n,
        pid,
        startTime: BigInt(pid),
        networkNamespace: 4,
        ...ends,
      };
    },
    does(pid, done) {
      const at = ++sequence;
      return {
        sequence: at,
        time: at * 1000n,
        pid,
        startTime: BigInt(pid),
        thread: pid,
        mountNamespace: 2,
        pidNamespace: 3,
        networkNamespace: 4,
        userNamespace: 5,
        uid: 0,
        effectiveUid: 0,
        savedUid: 0,
        capabilities: 0n,
        ...done,
      };
    },
    call(pid, name, texts = [], change = {}) {
      return this.does(pid, {
        type: "call",
        name,
        isCompat: false,
        arguments: [0n, 0n, 0n, 0n, 0n, 0n],
        texts: [0, 1, 2, 3, 4, 5].map((position) => texts[position] ?? null),
        capability: 21,
        granted: true,
        result: null,
        ...change,
      });
    },
    exit(pid) {
      const at = ++sequence;
      return { type: "exit", sequence: at, time: at * 1000n, pid, startTime: BigInt(pid), exitCode: 0 };
    },
  };
}
