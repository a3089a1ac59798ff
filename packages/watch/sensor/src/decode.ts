import { SensorError } from "./error.ts";
import { formatAddress } from "./address.ts";
import type { DescriptorRecord, ProcessRecord, SensorRecord } from "./record.ts";

/** Frames of version 1, as `c/frame.h` defines them, from a stream of bytes that is cut anywhere. */
export interface Decoder {
  /**
   * Appends what `chunk` completes to `records`. Throws `SensorError` with code `protocol` at a broken frame, after
   * the frames before it were appended; from then on every call throws the same.
   */
  push(chunk: Uint8Array, records: SensorRecord[]): void;
  /** The stream ended. Throws as `push` does when it ended inside of a frame. */
  end(): void;
  /**
   * Milliseconds since 1970 of a record's time. The sensor tells in the stream where the wall clock is, at first and
   * whenever that is set, so that times stay right through a step of the clock and are right in a recording too.
   */
  epochMs(time: bigint): number;
}

const MAGIC = 0x4b574c42;
const VERSION = 1;
const HEADER = 32;
const LONGEST = 16_384;

const READY = 1;
const EXEC = 2;
const FORK = 3;
const SNAPSHOT = 4;
const EXIT = 5;
const CONNECT = 6;
const ACCEPT = 7;
const LOSS = 8;
const CLOCK = 9;

/** Sizes of the frames that have one; of the others, the least. */
const sizes: Record<number, number> = {
  [READY]: HEADER,
  [EXEC]: 280,
  [FORK]: 280,
  [SNAPSHOT]: 280,
  [EXIT]: 48,
  [CONNECT]: 88,
  [ACCEPT]: 88,
  [LOSS]: 56,
  [CLOCK]: 40,
};

export function createDecoder(): Decoder {
  let rest: Buffer = Buffer.alloc(0);
  /** Bytes of the stream before `rest`. */
  let position = 0;
  let expected = 0n;
  let clockOffset = 0n;
  /** Frames that are missing in the stream. They count as lost between the sensor and us, as what its pipe lost. */
  let missing = 0n;
  let told = { ring: 0n, pipe: 0n, unreadable: 0n };
  let broken: SensorError | undefined;

  return { push, end, epochMs };

  function push(chunk: Uint8Array, records: SensorRecord[]): void {
    if (broken) throw broken;
    const added = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = rest.length === 0 ? added : Buffer.concat([rest, added]);
    let at = 0;
    try {
      while (bytes.length - at >= HEADER) {
        const length = checkHeader(bytes, at);
        if (bytes.length - at < length) break;
        // A view of its own: whatever the frame says, reading cannot leave it.
        frame(bytes.subarray(at, at + length), records);
        at += length;
      }
    } catch (error) {
      if (!(error instanceof Flaw)) throw error;
      broken = protocolError(error.message, position + at);
      throw broken;
    }
    position += at;
    // A copy, so that a few bytes do not keep a large chunk.
    rest = Buffer.from(bytes.subarray(at));
  }

  function end(): void {
    if (broken) throw broken;
    if (rest.length === 0) return;
    broken = protocolError(`the stream ended inside of a frame, after ${rest.length} bytes of it`, position);
    throw broken;
  }

  function epochMs(time: bigint): number {
    return Number((time + clockOffset) / 1_000_000n);
  }

  function frame(bytes: Buffer, records: SensorRecord[]): void {
    const sequence = bytes.readBigUInt64LE(16);
    const time = bytes.readBigUInt64LE(24);
    if (sequence < expected) throw new Flaw(`frame ${sequence} came where ${expected} or a later one is due`);
    if (sequence > expected) {
      missing += sequence - expected;
      records.push({ type: "loss", sequence, time, ...told, pipe: told.pipe + missing });
    }
    expected = sequence + 1n;

    const type = bytes.readUInt16LE(6);
    if (type === CLOCK) {
      clockOffset = bytes.readBigInt64LE(32);
    } else if (type === LOSS) {
      told = {
        ring: bytes.readBigUInt64LE(32),
        pipe: bytes.readBigUInt64LE(40),
        unreadable: bytes.readBigUInt64LE(48),
      };
      records.push({ type: "loss", sequence, time, ...told, pipe: told.pipe + missing });
    } else {
      records.push(record(type, bytes, sequence, time));
    }
  }
}

/** What is wrong with a frame; the decoder adds where. */
class Flaw extends Error {}

function protocolError(what: string, where: number): SensorError {
  return new SensorError("protocol", `broken frame at byte ${where} of the sensor's output: ${what}`, {
    remedy: "Build the sensor again (npm run setup), so that both sides are of one version.",
  });
}

/** Returns the length of the frame. */
function checkHeader(bytes: Buffer, at: number): number {
  const magic = bytes.readUInt32LE(at);
  if (magic !== MAGIC) throw new Flaw(`begins with 0x${magic.toString(16)}, not with 0x${MAGIC.toString(16)}`);
  const version = bytes.readUInt16LE(at + 4);
  if (version !== VERSION) throw new Flaw(`is of version ${version}, not ${VERSION}`);
  const type = bytes.readUInt16LE(at + 6);
  const size = sizes[type];
  if (size === undefined) throw new Flaw(`is of type ${type}, which is not known`);
  const length = bytes.readUInt32LE(at + 8);
  const hasText = type === READY || type === EXEC || type === FORK || type === SNAPSHOT;
  if (length > LONGEST || (hasText ? length < size : length !== size)) {
    throw new Flaw(`of type ${type} is ${length} bytes long`);
  }
  return length;
}

function record(type: number, bytes: Buffer, sequence: bigint, time: bigint): SensorRecord {
  switch (type) {
    case READY:
      return { type: "ready", sequence, time, hooks: hooks(bytes.toString("utf8", HEADER)) };
    case EXEC:
      return processRecord("exec", bytes, sequence, time);
    case FORK:
      return processRecord("fork", bytes, sequence, time);
    case SNAPSHOT:
      return processRecord("snapshot", bytes, sequence, time);
    case EXIT:
      return {
        type: "exit",
        sequence,
        time,
        pid: bytes.readUInt32LE(40),
        startTime: bytes.readBigUInt64LE(32),
        exitCode: bytes.readUInt32LE(44),
      };
    default: {
      const family = bytes.readUInt16LE(48);
      if (family !== AF_INET && family !== AF_INET6) throw new Flaw(`has a connection of address family ${family}`);
      return {
        type: type === CONNECT ? "connect" : "accept",
        sequence,
        time,
        pid: bytes.readUInt32LE(40),
        startTime: bytes.readBigUInt64LE(32),
        networkNamespace: bytes.readUInt32LE(44),
        local: address(bytes, family, 56, 52),
        remote: address(bytes, family, 72, 54),
      };
    }
  }
}

function hooks(text: string): { event: string; hook: string }[] {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Flaw("has a list of hooks that does not end in a line end");
  return lines.map((line) => {
    const [event, hook, more] = line.split(" ");
    if (!event || !hook || more !== undefined) throw new Flaw(`has ${JSON.stringify(line)} in its list of hooks`);
    return { event, hook };
  });
}

const origins = ["unknown", "plain", "lower", "upper", "memory"] as const;
const ARGUMENTS_CUT = 1;
const KERNEL_PARENT = 2;
/** `enum frame_text`: the order of the texts. */
const TEXTS = 7;
const LENGTHS = 96;
const STDIO = 112;
const DESCRIPTOR = 56;
const TEXT = 280;

function processRecord(type: ProcessRecord["type"], bytes: Buffer, sequence: bigint, time: bigint): ProcessRecord {
  const ends = [TEXT];
  for (let i = 0; i < TEXTS; i++) ends.push((ends[i] ?? 0) + bytes.readUInt16LE(LENGTHS + 2 * i));
  if (ends[TEXTS] !== bytes.length)
    throw new Flaw(`is ${bytes.length} bytes long, but its texts end at ${ends[TEXTS]}`);
  const text = (index: number) => bytes.toString("utf8", ends[index], ends[index + 1]);

  const origin = origins[bytes.readUInt8(92)];
  if (origin === undefined) throw new Flaw(`has the origin ${bytes.readUInt8(92)}`);
  const flags = bytes.readUInt8(93);
  const cgroup1 = text(6);

  return {
    type,
    sequence,
    time,
    pid: bytes.readUInt32LE(56),
    parentPid: bytes.readUInt32LE(60),
    startTime: bytes.readBigUInt64LE(32),
    parentStartTime: bytes.readBigUInt64LE(40),
    containerPid: bytes.readUInt32LE(64),
    mountNamespace: bytes.readUInt32LE(68),
    pidNamespace: bytes.readUInt32LE(72),
    networkNamespace: bytes.readUInt32LE(76),
    cgroups: cgroup1 === "" ? [path(text(5), 0)] : [path(text(5), 0), path(cgroup1, 0)],
    uid: bytes.readUInt32LE(80),
    gid: bytes.readUInt32LE(84),
    effectiveUid: bytes.readUInt32LE(88),
    capabilities: bytes.readBigUInt64LE(48),
    name: text(0),
    executable: path(text(3), bytes.readUInt8(94)),
    filename: text(1),
    arguments: names(text(2)),
    argumentsCut: (flags & ARGUMENTS_CUT) !== 0,
    workingDirectory: path(text(4), bytes.readUInt8(95)),
    origin,
    kernelParent: (flags & KERNEL_PARENT) !== 0,
    stdio: [descriptor(bytes, 0), descriptor(bytes, 1), descriptor(bytes, 2)],
  };
}

/** Texts that each end in NUL. The last may lack it where it was cut. */
function names(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}

/** `enum frame_path_end`: how the walk from the leaf ended. */
function path(leafFirst: string, end: number): string {
  const joined = names(leafFirst).reverse().join("/");
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

const AF_INET = 2;
const AF_INET6 = 10;

function descriptor(bytes: Buffer, fd: number): DescriptorRecord {
  const at = STDIO + DESCRIPTOR * fd;
  const family = bytes.readUInt16LE(at + 16);
  const inode = Number(bytes.readBigUInt64LE(at));
  const isInternet = family === AF_INET || family === AF_INET6;
  const remote = isInternet ? address(bytes, family, at + 40, at + 22) : null;
  return {
    fd,
    mode: bytes.readUInt32LE(at + 8),
    inode,
    device: statDevice(bytes.readUInt32LE(at + 12)),
    family,
    state: bytes.readUInt8(at + 18),
    local: isInternet ? address(bytes, family, at + 24, at + 20) : null,
    // A socket that is connected to nobody has an address of zeros.
    remote: remote !== null && remote.port === 0 && (remote.ip === "0.0.0.0" || remote.ip === "::") ? null : remote,
  };
}

function address(bytes: Buffer, family: number, at: number, portAt: number): { ip: string; port: number } {
  return {
    ip: formatAddress(bytes.subarray(at, at + (family === AF_INET ? 4 : 16))),
    port: bytes.readUInt16LE(portAt),
  };
}

/** From the kernel's own form (include/linux/kdev_t.h) to that of stat(2), new_encode_dev() in the same file. */
function statDevice(device: number): number {
  const major = device >>> 20;
  const minor = device & 0xf_ffff;
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
