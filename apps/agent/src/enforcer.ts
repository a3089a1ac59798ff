import { errorText } from "@bulwark/model";
import type { Counts, Enforcer } from "@bulwark/respond";
import type { EnforcementRecord, EnforcementWay, Policy, Sensor } from "@bulwark/sensor";
import type { Logger } from "@bulwark/telemetry";

type Events = Parameters<Enforcer["enforce"]>[1];

interface Held {
  policy: Policy;
  /** By the clock that does not jump. */
  until: number;
  on: Events;
  /** Of the sensor that runs; undefined while there is none. */
  id: bigint | undefined;
  /** What earlier sensors counted, and this one. */
  before: Counts;
  now: Counts;
  /** Of the sensor before: its number there, and what earlier ones than that counted. */
  former: { id: bigint; before: Counts } | undefined;
}

const none: Counts = { prevented: 0, caught: 0, missed: 0 };
const over: Record<Exclude<EnforcementRecord["state"], "lasts">, string> = {
  "time-is-over": "its time limit was over",
  "container-ended": "the container ended",
  undone: "it was undone",
};

/** What the sensor is to prevent, kept so that a sensor that is started again prevents it on. */
export class SensorEnforcer implements Enforcer {
  readonly #held = new Set<Held>();
  readonly #log: Logger;
  #sensor: Sensor | undefined;
  /** Processes that enforce for a sensor that died. */
  readonly #orphans = new Set<number>();
  #guard: number | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  get isReady(): boolean {
    return this.#sensor !== undefined;
  }

  /** The process that enforces for the sensor that runs. */
  get guard(): number | undefined {
    return this.#guard;
  }

  async enforce(policy: Policy, on: Events): Promise<{ ways: readonly EnforcementWay[]; release(): Promise<void> }> {
    const until = performance.now() + policy.limitMs;
    const held: Held = { policy, until, on, id: undefined, before: none, now: none, former: undefined };
    const ways = await this.#give(held);
    this.#held.add(held);
    return { ways, release: async () => this.#release(held) };
  }

  /** A sensor runs: it enforces what is left of the time of each. */
  async use(sensor: Sensor): Promise<void> {
    this.#sensor = sensor;
    for (const held of this.#held) {
      try {
        await this.#give(held);
      } catch (error) {
        this.#held.delete(held);
        held.on.over(`no longer enforced after the sensor started again: ${errorText(error)}`);
      }
    }
    // Only now, so that nothing is let through in between.
    for (const pid of this.#orphans) endProcess(pid);
    this.#orphans.clear();
  }

  /** Another one takes over from a sensor that runs, which enforces until the other does. */
  async takeOver(sensor: Sensor, former: Sensor): Promise<void> {
    const ids = [...this.#held].flatMap(({ id }) => (id === undefined ? [] : [id]));
    this.#leave();
    await this.use(sensor);
    // Undone there it tells what it has counted until now.
    for (const id of ids) await former.release(id).catch(() => undefined);
    for (const held of this.#held) held.former = undefined;
  }

  lost(): void {
    this.#sensor = undefined;
    if (this.#guard !== undefined && [...this.#held].some(({ policy }) => policy.outlives))
      this.#orphans.add(this.#guard);
    this.#leave();
  }

  #leave(): void {
    this.#guard = undefined;
    for (const held of this.#held) {
      held.former = held.id === undefined ? undefined : { id: held.id, before: held.before };
      held.id = undefined;
      held.before = sum(held.before, held.now);
      held.now = none;
    }
  }

  told(record: EnforcementRecord): void {
    const { id, state } = record;
    const held = [...this.#held].find((other) => other.id === id);
    if (!held) return;
    held.now = countsOf(record);
    held.on.told(sum(held.before, held.now));
    if (state === "lasts" || state === "undone") return;
    this.#held.delete(held);
    held.on.over(over[state]);
  }

  /** What the sensor before counts while this one takes over from it. */
  toldByFormer(record: EnforcementRecord): void {
    const held = [...this.#held].find(({ former }) => former?.id === record.id);
    if (!held?.former) return;
    held.before = sum(held.former.before, countsOf(record));
    held.on.told(sum(held.before, held.now));
  }

  async #give(held: Held): Promise<readonly EnforcementWay[]> {
    const sensor = this.#sensor;
    if (!sensor) throw new Error("the sensor does not run");
    const limitMs = held.until - performance.now();
    const { id, guard, ways } = await sensor.enforce({ ...held.policy, limitMs: Math.max(1, limitMs) });
    held.id = id;
    this.#guard = guard;
    return ways;
  }

  async #release(held: Held): Promise<void> {
    if (held.id !== undefined) {
      await this.#sensor?.release(held.id).catch((error: unknown) => {
        this.#log.warn({ reason: errorText(error) }, "what is to be undone is over already");
      });
    }
    this.#held.delete(held);
  }
}

function countsOf({ prevented, caught, missed }: EnforcementRecord): Counts {
  return { prevented: Number(prevented), caught: Number(caught), missed: Number(missed) };
}

function sum(a: Counts, b: Counts): Counts {
  return { prevented: a.prevented + b.prevented, caught: a.caught + b.caught, missed: a.missed + b.missed };
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It ended by itself.
  }
}
