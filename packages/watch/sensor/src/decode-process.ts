import { Flaw, ends, one, texts } from "./frame.ts";
import { createLately } from "./lately.ts";
import type { DescriptorRecord, ProcessRecord } from "./record.ts";

const origins = ["unknown", "plain", "lower", "upper", "memory"] as const;
const ARGUMENTS_CUT = 1;
const KERNEL_PARENT = 2;
const GAINS_RIGHTS = 4;
const DELETED = 8;
const ENVIRONMENT_CUT = 16;
/** `enum frame_text`: the order of the texts. */
const TEXTS = 9;
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
  const all = texts(bytes, PROCESS, LENGTHS, TEXTS);
  const [name = "", filename = "", interpreter = "", words = "", executable = "", directory = "", v2 = "", v1 = ""] =
    all;
  const environment = all[8] ?? "";
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
    cgroups: cgroupsOf(v2, v1),
    uid: bytes.readUInt32LE(120),
    gid: bytes.readUInt32LE(124),
    effectiveUid: bytes.readUInt32LE(128),
    savedUid: bytes.readUInt32LE(132),
    loginUid: bytes.readUInt32LE(136),
    capabilities: bits(bytes, 48),
    permitted: bits(bytes, 56),
    inheritable: bits(bytes, 64),
    session: bytes.readUInt32LE(140),
    processGroup: bytes.readUInt32LE(144),
    terminal: statDevice(bytes.readUInt32LE(148)),
    cloneFlags: bits(bytes, 72),
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
    ...(environment !== "" && {
      environment: names(environment),
      environmentCut: (flags & ENVIRONMENT_CUT) !== 0,
    }),
  };
}

/** Texts that each end in NUL. The last may lack it where it was cut. */
function names(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}

/** `enum frame_path_end`: how the walk from the leaf ended, and what that puts before a path. */
const beginnings = ["/", "(unreachable)/", "", "…/"];
export const NO_PATH = 4;
/** Programs, directories and cgroups come again and again: what was put together lately is kept, by its end. */
const paths = beginnings.map(() => createLately<string>());

export function path(leafFirst: string, end: number): string {
  if (end === NO_PATH) return "";
  const known = paths[end]?.get(leafFirst);
  if (known !== undefined) return known;
  const beginning = beginnings[end];
  if (beginning === undefined) throw new Flaw(`has a path that ends in the way ${end}`);
  const joined = beginning + names(leafFirst).reverse().join("/");
  paths[end]?.keep(leafFirst, joined);
  return joined;
}

const cgroups = createLately<string[]>();

/** Of all processes of a container the same array. */
function cgroupsOf(v2: string, v1: string): string[] {
  const both = `${v2}\u0000${v1}`;
  const known = cgroups.get(both);
  if (known !== undefined) return known;
  const found = v1 === "" ? [path(v2, 0)] : [path(v2, 0), path(v1, 0)];
  cgroups.keep(both, found);
  return found;
}

const sets = createLately<bigint>();

/** Sets of capabilities and flags: few, and the same again and again. */
function bits(bytes: Buffer, at: number): bigint {
  const [low, high] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
  if (low === 0 && high === 0) return 0n;
  const key = high * 2 ** 32 + low;
  if (key > Number.MAX_SAFE_INTEGER) return bytes.readBigUInt64LE(at);
  const known = sets.get(key);
  if (known !== undefined) return known;
  const found = bytes.readBigUInt64LE(at);
  sets.keep(key, found);
  return found;
}

function descriptor(bytes: Buffer, fd: number): DescriptorRecord {
  const at = STDIO + DESCRIPTOR * fd;
  const { family, local, remote } = ends(bytes, at + 16);
  return {
    fd,
    mode: bytes.readUInt32LE(at + 8),
    inode: bytes.readUInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at),
    device: statDevice(bytes.readUInt32LE(at + 12)),
    state: bytes.readUInt8(at + 18),
    family,
    local,
    remote,
  };
}

/** From the kernel's own form (include/linux/kdev_t.h) to that of stat(2), new_encode_dev() in the same file. */
function statDevice(device: number): number {
  const major = device >>> 20;
  const minor = device & 0xf_ffff;
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
