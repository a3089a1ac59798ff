import { readdirSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { startSensor, type Sensor, type SensorAsks, type SensorRecord } from "@bulwark/sensor";

/** A sensor that starts while what is to judge its records is still being read. */
export interface EarlySensor extends AsyncDisposable {
  /** Rejects where it cannot be had. */
  readonly sensor: Promise<Sensor>;
  /** Rejects when it ends by itself. */
  readonly ended: Promise<never>;
  /** Records from now on, those that came before at first. */
  listen(take: (records: readonly SensorRecord[]) => void): void;
}

/** The kernel checks the sensor's programs for a third of a second, and rules take as long to read: both at once. */
export function startEarly(options: SensorAsks & { host: boolean }): EarlySensor {
  const before: SensorRecord[] = [];
  const ended = Promise.withResolvers<never>();
  let listener: ((records: readonly SensorRecord[]) => void) | undefined;
  const sensor = startSensor({
    ...options,
    onRecords: (records) => (listener ? listener(records) : void before.push(...records)),
    onExit: ended.reject,
  });
  standBack();
  // One that begins later begins with the rank that we have then.
  void sensor.then(({ pid }) => rank(pid, ownRank)).catch(() => undefined);
  // Whoever waits for them learns of it then.
  for (const promise of [sensor, ended.promise]) promise.catch(() => undefined);
  return {
    sensor,
    ended: ended.promise,
    listen(take) {
      listener = take;
      if (before.length > 0) take(before.splice(0));
    },
    async [Symbol.asyncDispose]() {
      await sensor.then((running) => running.close()).catch(() => undefined);
    },
  };
}

/**
 * The programs that are watched go first: where all processors are busy, they are held up a third as long as by a reader of
 * their own rank. The sensor, which has begun already, keeps its place: what it does not read in time is lost.
 * Priority is a thread's own on Linux; those that collect garbage are there already.
 */
function standBack(): void {
  for (const thread of readdirSync("/proc/self/task")) rank(Number(thread), Math.min(ownRank + 5, 19));
}

const ownRank = getPriority(0);

function rank(pid: number, nice: number): void {
  try {
    setPriority(pid, nice);
  } catch {
    // It has ended since.
  }
}
