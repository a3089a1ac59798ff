import { spawn, type ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { sensorBinary } from "./build.ts";
import { createDecoder } from "./decode.ts";
import { SensorError } from "./error.ts";
import type { TrafficRecord } from "./flow-record.ts";
import { encodeTable, type NetworkTable } from "./network-table.ts";
import { encodeSet, encodeUnset, type EnforcementWay, type Policy } from "./policy.ts";
import type { DecodedRecord, EnforcementRecord, ReadyRecord, ReplyRecord, SensorRecord } from "./record.ts";

/** What it tells only where it is asked for: it costs others, or is seldom wanted. */
export interface SensorAsks {
  /**
   * System calls of `tracedCalls` to tell of, which takes a tracepoint of every system call: each one of the machine, of
   * whatever process, then takes 0.15 to 0.2 µs longer. None unless said otherwise.
   */
  calls?: readonly string[];
  /**
   * Absolute paths of files, and of directories with what is in them, whose opening in containers is told besides that of the
   * secrets in `c/watched.h`; at most 256. Those that are not there yet, from when they are made.
   */
  opened?: readonly string[];
  /**
   * Absolute paths of directories of which it is told what is made in them, removed, renamed and given other rights, besides
   * those in `c/watched.h`; at most 256. They may come to be later. Not what is in directories below them.
   */
  changed?: readonly string[];
  /**
   * Variables whose value is told of each program that begins, by name, `*` for all of them; none unless said otherwise. The
   * environment holds secrets: no other is kept.
   */
  environment?: readonly string[];
  /** Tell of TCP connections that they were established, and that they ended (`socket` records); false. */
  courses?: boolean;
}

export interface SensorOptions extends SensorAsks {
  /** Tell of the host's own processes too, not only of those in containers. */
  host?: boolean;
  /** Be able to prevent things: takes a process more, which keeps the rights for it. */
  enforce?: boolean;
  /** Count what containers send and receive, and tell of it so often; a second where `everyMs` is absent. */
  flows?: {
    everyMs?: number;
    /** Flows, beginnings of connections, answers of name servers, in their order. Must not throw. */
    onTraffic(records: TrafficRecord[]): void;
  };
  /** The program, where it is not the one that `buildSensor` builds. */
  binary?: string;
  /** Events a second that one container may make before it loses its own; 20,000. */
  eventRate?: number;
  /** Bytes of the buffer in the kernel, a power of two; 8 MiB. Holds what happens while the machine is too busy to read. */
  ringBytes?: number;
  /** Bytes that wait in the sensor while we are too busy to read; 8 MiB. */
  bufferBytes?: number;
  /**
   * Records in the order of the kernel, as many as came in one read, the ready record first. Called while
   * `startSensor` may not have resolved yet. Must not throw.
   */
  onRecords(records: SensorRecord[]): void;
  /** What became of policies. Must not throw. */
  onEnforcement?(record: EnforcementRecord): void;
  /** It ended while it was wanted, after the last records. Not called for `close()`, nor when the start fails. */
  onExit?(error: SensorError): void;
}

/** A sensor that runs. Disposing of it ends it. */
export interface Sensor extends AsyncDisposable {
  readonly pid: number;
  /** Which hook serves which kind of event. */
  readonly hooks: ReadyRecord["hooks"];
  /** Milliseconds since 1970 of a record's time; see `Decoder.epochMs`. */
  epochMs(time: bigint): number;
  /**
   * Enforces a policy from now on; what becomes of it is told in `enforcement` records. Rejects with a `SensorError`
   * `policy` that says why it is not enforced.
   */
  enforce(policy: Policy): Promise<Enforced>;
  /** Undoes it. Rejects with `policy` where it is over already. */
  release(id: bigint): Promise<void>;
  /**
   * Enforces network policies in place of those before, until the sensor ends; each pod changes from one to the other at once.
   * Rejects with a `SensorError` `policy`, and leaves those before as they are.
   */
  enforceNetwork(table: NetworkTable): Promise<void>;
  /** Ends it, hands over what it still had to say, and resolves when it is gone. */
  close(): Promise<void>;
}

export interface Enforced {
  id: bigint;
  /** The process that enforces: what outlives the sensor ends with this. */
  guard: number;
  ways: EnforcementWay[];
}

/**
 * Milliseconds that a sensor which is ready may need until it has marked the files of all containers that run: for so long it
 * runs beside the one that it takes over from.
 */
export const MARKING_MS = 2000;
/** Loading takes a fraction of a second; a machine that needs longer than this is not going to make it. */
const START_LIMIT_MS = 30_000;
/** After SIGTERM: what waits is read first, which takes a busy reader seconds. */
const END_LIMIT_MS = 15_000;
const ANSWER_LIMIT_MS = 10_000;
/** Of a table: where much happens its answers stand behind what is told of that, and asking again would not help. */
const TABLE_LIMIT_MS = 60_000;
const STDERR_LIMIT = 16_384;

/** Starts the sensor; resolves when it is attached. Rejects with a `SensorError` that says why it cannot be. */
export async function startSensor(options: SensorOptions): Promise<Sensor> {
  const { promise, resolve, reject } = Promise.withResolvers<Sensor>();
  const gone = Promise.withResolvers<void>();
  const { environment = [] } = options;
  const decoder = createDecoder({ environment });
  const child = spawnSensor(options);
  const asked = new Map<bigint, (reply: ReplyRecord | SensorError) => void>();
  let lastId = 0n;
  let stderr = "";
  let state: "starting" | "running" | "closing" | "ended" = "starting";
  let flaw: SensorError | undefined;

  const startLimit = setTimeout(() => {
    flaw = new SensorError("unavailable", `the sensor was not ready after ${START_LIMIT_MS / 1000} s`);
    child.kill("SIGKILL");
  }, START_LIMIT_MS);

  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(0, STDERR_LIMIT);
  });
  child.stdout.on("data", (chunk: Buffer) => {
    read((records) => decoder.push(chunk, records));
  });
  child.on("error", (cause) => {
    // With an error there may be no exit.
    flaw ??= new SensorError("unavailable", `${options.binary ?? sensorBinary} cannot be started: ${cause.message}`, {
      remedy: "Build it: npm run setup",
      cause,
    });
    if (child.pid === undefined) ended(null, null);
  });
  child.on("close", ended);
  return promise;

  function read(decode: (records: DecodedRecord[]) => void): void {
    if (flaw !== undefined) return;
    const decoded: DecodedRecord[] = [];
    try {
      decode(decoded);
    } catch (error) {
      if (!(error instanceof SensorError)) throw error;
      flaw = error;
      child.kill("SIGKILL");
    }
    const records = decoded.filter(isOfKernel);
    if (records.length > 0) options.onRecords(records);
    const traffic = options.flows ? decoded.filter(isTraffic) : [];
    if (traffic.length > 0) options.flows?.onTraffic(traffic);
    for (const record of decoded) {
      if (record.type === "reply") asked.get(record.id)?.(record);
      else if (record.type === "enforcement") options.onEnforcement?.(record);
    }
    if (state === "starting") {
      const ready = records.find((record) => record.type === "ready");
      if (ready !== undefined) running(ready);
    }
  }

  function running(ready: ReadyRecord): void {
    state = "running";
    clearTimeout(startLimit);
    resolve({
      pid: child.pid ?? 0,
      hooks: ready.hooks,
      epochMs: (time) => decoder.epochMs(time),
      async enforce(policy) {
        const id = ++lastId;
        const { guard, ways } = await ask(id, encodeSet(id, policy));
        return { id, guard, ways };
      },
      async release(id) {
        await ask(id, encodeUnset(id));
      },
      async enforceNetwork(table) {
        const commands = encodeTable(table, () => ++lastId);
        const commit = commands.pop();
        // Only what is whole is committed.
        await Promise.all(commands.map(async ({ id, bytes }) => ask(id, bytes, TABLE_LIMIT_MS)));
        if (commit) await ask(commit.id, commit.bytes, TABLE_LIMIT_MS);
      },
      close,
      [Symbol.asyncDispose]: close,
    });
  }

  async function ask(id: bigint, command: Buffer, limitMs = ANSWER_LIMIT_MS): Promise<ReplyRecord> {
    const { stdin } = child;
    if (stdin === null || state !== "running") {
      throw new SensorError("policy", stdin === null ? "this sensor only watches" : "the sensor does not run", {
        remedy: "Start it to enforce.",
      });
    }
    try {
      const reply = await new Promise<ReplyRecord>((answered, failed) => {
        const limit = setTimeout(() => failed(new SensorError("policy", "the sensor did not answer in time")), limitMs);
        asked.set(id, (said) => {
          clearTimeout(limit);
          if (said instanceof SensorError) failed(said);
          else answered(said);
        });
        stdin.write(command);
      });
      const { refusal } = reply;
      if (refusal !== null) throw new SensorError("policy", refusal.message, { remedy: refusal.remedy });
      return reply;
    } finally {
      asked.delete(id);
    }
  }

  async function close(): Promise<void> {
    if (state === "running") {
      state = "closing";
      child.kill("SIGTERM");
      const limit = setTimeout(() => child.kill("SIGKILL"), END_LIMIT_MS);
      await gone.promise;
      clearTimeout(limit);
    }
    await gone.promise;
  }

  function ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (state === "ended") return;
    const before = state;
    state = "ended";
    clearTimeout(startLimit);
    for (const answer of asked.values()) answer(new SensorError("policy", "the sensor ended"));
    if (before === "starting") {
      reject(flaw ?? startError(stderr, code, signal));
    } else if (before === "running") {
      // Killed in the middle of a write it leaves half a frame, which says nothing more than that.
      const how = signal === null ? `with code ${code}` : `by ${signal}`;
      const message = `the sensor ended ${how}${stderr === "" ? "" : `: ${firstLine(stderr)}`}`;
      options.onExit?.(flaw ?? new SensorError("stopped", message, { remedy: "Start it again." }));
    }
    gone.resolve();
  }
}

function isOfKernel(record: DecodedRecord): record is SensorRecord {
  const { type } = record;
  return type !== "reply" && type !== "enforcement" && type !== "flow" && type !== "opening";
}

function isTraffic(record: DecodedRecord): record is TrafficRecord {
  const { type } = record;
  return type === "flow" || type === "opening" || type === "dns";
}

type SensorProcess = ChildProcess & { stdin: Writable | null; stdout: Readable; stderr: Readable };

function spawnSensor(options: SensorOptions): SensorProcess {
  const args: string[] = [];
  if (options.host === true) args.push("--host");
  if (options.eventRate !== undefined) args.push("--rate", String(options.eventRate));
  if (options.calls !== undefined && options.calls.length > 0) args.push("--calls", options.calls.join(","));
  if (options.opened !== undefined && options.opened.length > 0) args.push("--opened", options.opened.join("\n"));
  if (options.changed !== undefined && options.changed.length > 0) args.push("--changed", options.changed.join("\n"));
  if (options.environment !== undefined && options.environment.length > 0) args.push("--environment");
  if (options.courses === true) args.push("--courses");
  if (options.ringBytes !== undefined) args.push("--ring", String(options.ringBytes));
  if (options.flows) args.push("--flows", String(options.flows.everyMs ?? 1000));
  if (options.bufferBytes !== undefined) args.push("--buffer", String(options.bufferBytes));
  // It needs nothing of our environment, which may hold secrets.
  const stdin = options.enforce === true ? "pipe" : "ignore";
  const child = spawn(options.binary ?? sensorBinary, args, { stdio: [stdin, "pipe", "pipe"], env: {} });
  // Its end is told by the process.
  child.stdin?.on("error", () => undefined);
  return child as SensorProcess;
}

/** The program says what, why and how to mend on one line: `bulwark-sensor: what: why. How to mend.` */
function startError(stderr: string, code: number | null, signal: NodeJS.Signals | null): SensorError {
  const said = /^bulwark-sensor: (.*?)\. (.*)$/m.exec(stderr);
  if (said !== null) return new SensorError("unavailable", said[1] ?? "", { remedy: said[2] ?? "" });
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  return new SensorError("unavailable", `the sensor ended ${how} before it was ready: ${firstLine(stderr)}`);
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
