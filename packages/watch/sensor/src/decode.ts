import {
  CALL,
  DEVICE,
  DNS,
  FILE,
  FLOOD,
  SETTING,
  SIGNAL,
  SOCKET,
  decodeActor,
  decodeCall,
  decodeDevice,
  decodeDns,
  decodeFile,
  decodeFlood,
  decodeSetting,
  decodeSignal,
  decodeSocket,
} from "./decode-activity.ts";
import { FLOW, OPENING, decodeFlow, decodeOpening } from "./decode-flow.ts";
import { PROCESS, decodeProcess } from "./decode-process.ts";
import { ENFORCEMENT, REPLY, decodeEnforcement, decodeReply } from "./decode-enforcement.ts";
import { SensorError } from "./error.ts";
import { Flaw, address, isInternet } from "./frame.ts";
import type { LossRecord, DecodedRecord } from "./record.ts";

/** Frames of version 4, as `c/frame.h` defines them, from a stream of bytes that is cut anywhere. */
export interface Decoder {
  /**
   * Appends what `chunk` completes to `records`. Throws `SensorError` with code `protocol` at a broken frame, after
   * the frames before it were appended; from then on every call throws the same.
   */
  push(chunk: Uint8Array, records: DecodedRecord[]): void;
  /** The stream ended. Throws as `push` does when it ended inside of a frame. */
  end(): void;
  /**
   * Milliseconds since 1970 of a record's time. The sensor tells in the stream where the wall clock is, at first and
   * whenever that is set, so that times stay right through a step of the clock and are right in a recording too.
   */
  epochMs(time: bigint): number;
}

const MAGIC = 0x4b574c42;
const VERSION = 4;
const HEADER = 32;
const LONGEST = 16_384;

/** What comes of a frame, by its type; undefined when it tells nothing. */
type Read = (bytes: Buffer, sequence: bigint, time: bigint) => DecodedRecord | undefined;

const LOSS = 8;
const CLOCK = 9;

/** Of each type of frame: its size without texts, whether texts may follow, and how it is read. */
const types: Record<number, { size: number; hasText: boolean; read: Read } | undefined> = {
  1: { size: HEADER, hasText: true, read: readReady },
  2: { size: PROCESS, hasText: true, read: (...frame) => decodeProcess("exec", ...frame) },
  3: { size: PROCESS, hasText: true, read: (...frame) => decodeProcess("fork", ...frame) },
  4: { size: PROCESS, hasText: true, read: (...frame) => decodeProcess("snapshot", ...frame) },
  5: { size: 48, hasText: false, read: readExit },
  6: { size: SOCKET, hasText: false, read: (...frame) => readConnection("connect", ...frame) },
  7: { size: SOCKET, hasText: false, read: (...frame) => readConnection("accept", ...frame) },
  [LOSS]: { size: 80, hasText: false, read: () => undefined },
  [CLOCK]: { size: 40, hasText: false, read: () => undefined },
  10: { size: CALL, hasText: true, read: (bytes, ...at) => decodeCall(bytes, decodeActor(bytes, ...at)) },
  11: { size: SOCKET, hasText: true, read: (bytes, ...at) => decodeSocket(bytes, decodeActor(bytes, ...at)) },
  12: { size: FILE, hasText: true, read: (bytes, ...at) => decodeFile(bytes, decodeActor(bytes, ...at)) },
  13: { size: SETTING, hasText: true, read: (bytes, ...at) => decodeSetting(bytes, decodeActor(bytes, ...at)) },
  14: { size: DEVICE, hasText: false, read: (bytes, ...at) => decodeDevice(bytes, decodeActor(bytes, ...at)) },
  15: { size: SIGNAL, hasText: false, read: (bytes, ...at) => decodeSignal(bytes, decodeActor(bytes, ...at)) },
  16: { size: DNS, hasText: true, read: (bytes, ...at) => decodeDns(bytes, decodeActor(bytes, ...at)) },
  17: { size: FLOOD, hasText: false, read: (bytes, ...at) => decodeFlood(bytes, decodeActor(bytes, ...at)) },
  18: { size: REPLY, hasText: true, read: decodeReply },
  19: { size: ENFORCEMENT, hasText: true, read: decodeEnforcement },
  20: { size: FLOW, hasText: false, read: decodeFlow },
  21: { size: OPENING, hasText: true, read: decodeOpening },
};

/** `environment`: names of the variables that are kept of each process; `*`: all of them. */
export function createDecoder({ environment = [] }: { environment?: readonly string[] } = {}): Decoder {
  const isKept = (variable: string): boolean =>
    environment.some((name) => name === "*" || (variable.startsWith(name) && variable[name.length] === "="));
  let rest: Buffer = Buffer.alloc(0);
  /** Bytes of the stream before `rest`. */
  let position = 0;
  let expected = 0n;
  let clockOffset = 0n;
  /** Frames that are missing in the stream. They count as lost between the sensor and us, as what its pipe lost. */
  let missing = 0n;
  let told = { ring: 0n, pipe: 0n, unreadable: 0n, limited: 0n, files: 0n, flows: 0n };
  let broken: SensorError | undefined;

  return { push, end, epochMs };

  function push(chunk: Uint8Array, records: DecodedRecord[]): void {
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

  function loss(sequence: bigint, time: bigint): LossRecord {
    return { type: "loss", sequence, time, ...told, pipe: told.pipe + missing };
  }

  function frame(bytes: Buffer, records: DecodedRecord[]): void {
    const sequence = bytes.readBigUInt64LE(16);
    const time = bytes.readBigUInt64LE(24);
    if (sequence < expected) throw new Flaw(`frame ${sequence} came where ${expected} or a later one is due`);
    if (sequence > expected) {
      missing += sequence - expected;
      records.push(loss(sequence, time));
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
        limited: bytes.readBigUInt64LE(56),
        files: bytes.readBigUInt64LE(64),
        flows: bytes.readBigUInt64LE(72),
      };
      records.push(loss(sequence, time));
    } else {
      const record = types[type]?.read(bytes, sequence, time);
      if (!record) return;
      if ("environment" in record) record.environment = record.environment?.filter(isKept) ?? [];
      records.push(record);
    }
  }
}

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
  const known = types[type];
  if (known === undefined) throw new Flaw(`is of type ${type}, which is not known`);
  const length = bytes.readUInt32LE(at + 8);
  if (length > LONGEST || (known.hasText ? length < known.size : length !== known.size)) {
    throw new Flaw(`of type ${type} is ${length} bytes long`);
  }
  return length;
}

function readReady(bytes: Buffer, sequence: bigint, time: bigint): DecodedRecord {
  const lines = bytes.toString("utf8", HEADER).split("\n");
  if (lines.pop() !== "") throw new Flaw("has a list of hooks that does not end in a line end");
  const hooks = lines.map((line) => {
    const [event, hook, more] = line.split(" ");
    if (!event || !hook || more !== undefined) throw new Flaw(`has ${JSON.stringify(line)} in its list of hooks`);
    return { event, hook };
  });
  return { type: "ready", sequence, time, hooks };
}

function readExit(bytes: Buffer, sequence: bigint, time: bigint): DecodedRecord {
  return {
    type: "exit",
    sequence,
    time,
    pid: bytes.readUInt32LE(40),
    startTime: bytes.readBigUInt64LE(32),
    exitCode: bytes.readUInt32LE(44),
  };
}

function readConnection(type: "connect" | "accept", bytes: Buffer, sequence: bigint, time: bigint): DecodedRecord {
  const family = bytes.readUInt16LE(88);
  if (!isInternet(family)) throw new Flaw(`has a connection of address family ${family}`);
  return {
    type,
    sequence,
    time,
    pid: bytes.readUInt32LE(48),
    startTime: bytes.readBigUInt64LE(32),
    networkNamespace: bytes.readUInt32LE(64),
    local: address(bytes, family, 96, 92),
    remote: address(bytes, family, 112, 94),
  };
}
