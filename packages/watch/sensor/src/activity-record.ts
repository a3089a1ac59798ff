/**
 * What processes did besides beginning, ending and connecting. One record a kind; `watch/detect` turns them into the
 * events of `core/model`.
 */
export type ActivityRecord =
  | CallRecord
  | SocketRecord
  | FileRecord
  | SettingRecord
  | DeviceRecord
  | SignalRecord
  | DnsRecord
  | FloodRecord;

/** What all of them have: who did it, as it was at that moment. */
interface Actor {
  sequence: bigint;
  time: bigint;
  /** 0 where the kernel did it outside of any process. */
  pid: number;
  /** 0 where only the number of the process is known (`file`): it is the one that has this number at that time. */
  startTime: bigint;
  thread: number;
  mountNamespace: number;
  pidNamespace: number;
  networkNamespace: number;
  userNamespace: number;
  uid: number;
  effectiveUid: number;
  savedUid: number;
  capabilities: bigint;
}

/** A system call that asked for a capability, or that a rule asked to see. */
export interface CallRecord extends Actor {
  type: "call";
  /** As the kernel names it (`mount`); `call_600` where this build does not know the number. */
  name: string;
  /** A call by the table of 32-bit programs, which tools that look only at 64-bit numbers miss. */
  isCompat: boolean;
  /** The registers. Those that point to text are in `texts` too. */
  arguments: bigint[];
  /** Text of the pointers among the arguments, by position; null where it is none or could not be read. */
  texts: (string | null)[];
  /** Number of the capability that was asked for; null where none was. */
  capability: number | null;
  /** Null where no capability was asked for. Granted is not yet succeeded. */
  granted: boolean | null;
  /** Null where the hook runs before the call ends. */
  result: number | null;
  /** It is told because it was asked for (`SensorOptions.calls`), whatever right it took. */
  isTraced?: true;
  /** The one that the result is a descriptor of, of a call that is traced. Absent where it is none. */
  socket?: Pick<SocketRecord, "family" | "local" | "remote">;
  /** Of a call that opens a file and is traced. */
  opened?: {
    /** Of the file, from its dentry up; where it was not opened, of the directory that a name without a slash begins at. */
    place: string;
    /** Of open(2). */
    flags: number;
    /** File type bits of the mode (`S_IFMT`); 0 where it was not opened. */
    mode: number;
  };
}

export interface SocketRecord extends Actor {
  type: "socket";
  /**
   * `connect`: not of TCP, which has a record of its own. `send`: the first datagram to a peer in 10 s. `established`, `closed`:
   * of TCP, by who connected (`SensorOptions.courses`).
   */
  operation: "connect" | "bind" | "listen" | "send" | "established" | "closed";
  /** Address family, type (`SOCK_STREAM` 1 …) and protocol as socket(2) takes them. */
  family: number;
  kind: number;
  protocol: number;
  local: { ip: string; port: number } | null;
  remote: { ip: string; port: number } | null;
  /** Of a Unix socket, `@…` when abstract. Empty otherwise. */
  path: string;
}

export interface FileRecord extends Actor {
  type: "file";
  operation: "read" | "write" | "execute" | "create" | "remove" | "rename" | "attributes" | "truncate";
  /** From the root of the container. */
  path: string;
  /** Of `rename`, where the new place is watched. */
  newPath: string;
  isDirectory: boolean;
  inode: bigint;
  /**
   * It was reached by a mount of `mountNamespace`, which is that of the file, and the process was not seen to be in that: one
   * of another namespace came there through `/proc/PID/root` or a descriptor. Who has ended may have been in it.
   */
  isThroughNamespace?: boolean;
  /** Of `write`: written to the first time while it is open; that it is closed is told as one more. */
  isOpen?: boolean;
  /** Of `truncate`: by ftruncate(2). */
  isByDescriptor?: boolean;
  /** Of `execute`: it was written in the container. */
  wasWritten?: boolean;
}

/** A read or write below /proc/sys. */
export interface SettingRecord extends Actor {
  type: "setting";
  operation: "read" | "write";
  /** `kernel/core_pattern` */
  name: string;
  value: string;
}

/** Making or opening a device node. */
export interface DeviceRecord extends Actor {
  type: "device";
  kind: "block" | "character";
  major: number;
  minor: number;
  access: ("make" | "read" | "write")[];
}

export interface SignalRecord extends Actor {
  type: "signal";
  signal: number;
  target: { pid: number; startTime: bigint; name: string; pidNamespace: number };
}

/** An answer of a name server over UDP. The process is the one whose socket it came to. */
export interface DnsRecord extends Actor {
  type: "dns";
  /** Lower case, without the dot at the end. */
  name: string;
  /** Type of the question (`A` is 1) and code of the answer (0: no error), RFC 1035. */
  kind: number;
  code: number;
  /** Addresses of `A` and `AAAA`, names of `CNAME`. */
  answers: string[];
  /** Who asked, and who answered. */
  client: { ip: string; port: number };
  server: { ip: string; port: number };
  /** TCP only where flows are counted, and of a connection its first answer. */
  protocol: "UDP" | "TCP";
}

/** A container's share of events is used up: so many of its events were passed over since the sensor started. */
export interface FloodRecord extends Actor {
  type: "flood";
  passedOver: bigint;
}
