import type { Messages, WorkSubject } from "@bulwark/bus";
import { errorText } from "@bulwark/model";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import type { Limits } from "../limits.ts";

/** Work that nobody asks for by HTTP: again and again, or for each message of the bus. */
export type Job = TimedJob | { [S in WorkSubject]: MessageJob<S> }[WorkSubject];

export interface TimedJob {
  name: string;
  /** By one replica at a time, and once in each period however many there are. */
  once?: true;
  /** Milliseconds from the end of one run to the start of the next. */
  every(limits: Limits): number;
  /** Milliseconds from the start of the server to the first run; at once unless told. */
  first?(limits: Limits): number;
  /** `signal`: the server ends, and waits for this. */
  run(context: Context, signal: AbortSignal): Promise<void>;
}

export interface MessageJob<S extends WorkSubject> {
  name: string;
  /** Each message is handled by one replica, and again when `run` throws. */
  on: S;
  /** False while this replica cannot do it and shall leave it to others. Asked every `advisoryPoll`. */
  able?(context: Context): Promise<boolean>;
  run(message: Messages[S], context: Context): Promise<void>;
}

/** Starts every job. Disposing waits for the runs that are under way. */
export async function startJobs(jobs: Job[], context: Context): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const failing = new Map<string, string>();
  reportJobs(context, failing);
  for (const job of jobs) {
    if ("every" in job) stack.use(repeat(job, context, failing));
    else stack.use(await listen(job, context, failing));
  }
  return stack;
}

function repeat(job: TimedJob, context: Context, failing: Map<string, string>): AsyncDisposable {
  const stop = new AbortController();
  const { signal } = stop;
  let timer: NodeJS.Timeout | undefined;
  let current: Promise<void> = Promise.resolve();

  async function runAndPlan(): Promise<void> {
    const once = async (): Promise<void> => observed(job.name, async () => job.run(context, signal), context, failing);
    try {
      if (job.once) await alone(job, context, once);
      else await once();
    } catch {
      // Told by `observed`; the next run comes in its time.
    }
    if (!signal.aborted) timer = setTimeout(begin, job.every(context.limits));
  }

  function begin(): void {
    current = runAndPlan();
  }

  const pause = job.first?.(context.limits);
  if (pause === undefined) begin();
  else timer = setTimeout(begin, pause);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      clearTimeout(timer);
      await current;
    },
  };
}

/** How long a replica that died in the middle of a job keeps others from it. */
const leaseTime = 60_000;

/** Runs the job unless another replica does, or did in this period. */
async function alone(job: TimedJob, context: Context, run: () => Promise<void>): Promise<void> {
  const { leases } = context.store;
  const name = `job/${job.name}`;
  if (!(await leases.take(name, context.holder, leaseTime))) return;
  const prolong = setInterval(() => {
    leases.take(name, context.holder, leaseTime).catch((error: unknown) => {
      context.logger.warn({ job: job.name, reason: errorText(error) }, "a lease was not prolonged");
    });
  }, leaseTime / 3);
  try {
    await run();
  } catch (error) {
    // Another replica may do better.
    clearInterval(prolong);
    await leases.release(name, context.holder);
    throw error;
  } finally {
    clearInterval(prolong);
  }
  await leases.take(name, context.holder, job.every(context.limits) * 0.9);
}

async function listen<S extends WorkSubject>(
  job: MessageJob<S>,
  context: Context,
  failing: Map<string, string>,
): Promise<AsyncDisposable> {
  const work = async (): Promise<AsyncDisposable> =>
    context.bus.work(job.on, (message) => observed(job.name, () => job.run(message, context), context, failing));
  const able = job.able?.bind(job);
  return able === undefined ? work() : workWhile(able, work, context);
}

/** Works while it can. What comes in between waits on the bus, for another replica or for better times. */
async function workWhile(
  able: (context: Context) => Promise<boolean>,
  work: () => Promise<AsyncDisposable>,
  context: Context,
): Promise<AsyncDisposable> {
  let working: AsyncDisposable | undefined;

  async function look(): Promise<void> {
    const can = await able(context).catch(() => false);
    if (can && !working) working = await work();
    if (can || !working) return;
    const ending = working;
    working = undefined;
    await ending[Symbol.asyncDispose]();
  }

  await look();
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look).catch((error: unknown) => {
      context.logger.warn({ reason: errorText(error) }, "a worker could not begin");
    });
  }, context.limits.advisoryPoll);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await looking;
      await working?.[Symbol.asyncDispose]();
    },
  };
}

async function observed(
  name: string,
  run: () => Promise<void>,
  context: Context,
  failing: Map<string, string>,
): Promise<void> {
  const end = count.jobs.startTimer({ job: name });
  try {
    await run();
    end({ result: "done" });
    if (failing.delete(name)) reportJobs(context, failing);
  } catch (error) {
    end({ result: "failed" });
    context.logger.error({ job: name, reason: errorText(error) }, "a job failed");
    failing.set(name, errorText(error));
    reportJobs(context, failing);
    throw error;
  }
}

function reportJobs(context: Context, failing: Map<string, string>): void {
  const reason = [...failing].map(([name, why]) => `${name}: ${why}`).join("; ");
  context.health.report({
    id: "jobs",
    state: failing.size === 0 ? "ok" : "degraded",
    summary: failing.size === 0 ? "Matching, retention and self-checks run" : `${failing.size} of the jobs fail`,
    reason: reason.slice(0, 2048),
    remedy: failing.size === 0 ? "" : "see the server's log; each failed job is tried again",
  });
}
