import { Flaw, ends, one, texts } from "./frame.ts";
import type { DescriptorRecord, ProcessRecord } from "./record.ts";

const origins = ["unknown", "plain", "lower", "upper", "memory"] as const;
const ARGUMENTS_CUT = 1;
const KERNEL_PARENT = 2;
const GAINS_RIGHTS = 4;
const DELETED = 8;
/** `enum frame_text`: the order of the texts. */
const TEXTS = 8;
const LENGTHS = 164;
const STDIO = 184;
const DESCRIPTOR = 56;
/** `sizeof(struct frame_process)` */
export const PROCESS = 352;

export function decodeProcess(
  type: ProcessRecord["type"],
  bytes: Buffer,
  sequence: bigint,
  time: bigint,
): ProcessRecord {
  const [name = "", filename = "", interpreter = "", words = "", executable = "", directory = "", v2 = "", v1 = ""] =
    texts(bytes, PROCESS, LENGTHS, TEXTS);
  const flags = bytes.readUInt8(161);
  return {
    type,
    sequence,
    time,
    pid: bytes.readUInt32LE(88),
    parentPid: bytes.readUInt32LE(92),
    startTime: bytes.readBigUInt64LE(32),
    parentStartTime: bytes.readBigUInt64LE(40),
    containerPid: bytes.readUInt32LE(96),
    mountNamespace: bytes.readUInt32LE(100),
    pidNamespace: bytes.readUInt32LE(104),
    networkNamespace: bytes.readUInt32LE(108),
    userNamespace: bytes.readUInt32LE(112),
    cgroupNamespace: bytes.readUInt32LE(116),
    cgroups: v1 === "" ? [path(v2, 0)] : [path(v2, 0), path(v1, 0)],
    uid: bytes.readUInt32LE(120),
    gid: bytes.readUInt32LE(124),
    effectiveUid: bytes.readUInt32LE(128),
    savedUid: bytes.readUInt32LE(132),
    loginUid: bytes.readUInt32LE(136),
    capabilities: bytes.readBigUInt64LE(48),
    permitted: bytes.readBigUInt64LE(56),
    inheritable: bytes.readBigUInt64LE(64),
    session: bytes.readUInt32LE(140),
    processGroup: bytes.readUInt32LE(144),
    terminal: statDevice(bytes.readUInt32LE(148)),
    cloneFlags: bytes.readBigUInt64LE(72),
    name,
    // As /proc/PID/exe has it.
    executable: path(executable, bytes.readUInt8(162)) + ((flags & DELETED) === 0 ? "" : " (deleted)"),
    filename,
    interpreter,
    executableInode: bytes.readBigUInt64LE(80),
    executableMode: bytes.readUInt32LE(152),
    executableUid: bytes.readUInt32LE(156),
    gainsRights: (flags & GAINS_RIGHTS) !== 0,
    arguments: names(words),
    argumentsCut: (flags & ARGUMENTS_CUT) !== 0,
    workingDirectory: path(directory, bytes.readUInt8(163)),
    origin: one("origin", origins, bytes.readUInt8(160)),
    kernelParent: (flags & KERNEL_PARENT) !== 0,
    stdio: [descriptor(bytes, 0), descriptor(bytes, 1), descriptor(bytes, 2)],
  };
}

/** Texts that each end in NUL. The last may lack it where it was cut. */
function names(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}

/** Programs, directories and cgroups come again and again: what was put together lately is kept, within a bound. */
const lately = new Map<string, string>();
const latelyKept = 1024;
const longestKept = 512;

function fromRoot(leafFirst: string): string {
  const known = lately.get(leafFirst);
  if (known !== undefined) return known;
  const path = names(leafFirst).reverse().join("/");
  if (leafFirst.length <= longestKept) {
    if (lately.size >= latelyKept) lately.clear();
    lately.set(leafFirst, path);
  }
  return path;
}

/** `enum frame_path_end`: how the walk from the leaf ended. */
function path(leafFirst: string, end: number): string {
  const joined = fromRoot(leafFirst);
  switch (end) {
    case 0:
      return `/${joined}`;
    case 1:
      return `(unreachable)/${joined}`;
    case 2:
      return joined;
    case 3:
      return `…/${joined}`;
    case 4:
      return "";
    default:
      throw new Flaw(`has a path that ends in the way ${end}`);
  }
}

function descriptor(bytes: Buffer, fd: number): DescriptorRecord {
  const at = STDIO + DESCRIPTOR * fd;
  return {
    fd,
    mode: bytes.readUInt32LE(at + 8),
    inode: Number(bytes.readBigUInt64LE(at)),
    device: statDevice(bytes.readUInt32LE(at + 12)),
    state: bytes.readUInt8(at + 18),
    ...ends(bytes, at + 16),
  };
}

/** From the kernel's own form (include/linux/kdev_t.h) to that of stat(2), new_encode_dev() in the same file. */
function statDevice(device: number): number {
  const major = device >>> 20;
  const minor = device & 0xf_ffff;
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
