import type { Messages, WorkSubject } from "@bulwark/bus";
import { errorText } from "@bulwark/model";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import type { Limits } from "../limits.ts";

/** Work that nobody asks for by HTTP: again and again, or for each message of the bus. */
export type Job = TimedJob | { [S in WorkSubject]: MessageJob<S> }[WorkSubject];

export interface TimedJob {
  name: string;
  /** Milliseconds from the end of one run to the start of the next. The first run is at the start. */
  every(limits: Limits): number;
  run(context: Context): Promise<void>;
}

export interface MessageJob<S extends WorkSubject> {
  name: string;
  /** Each message is handled by one replica, and again when `run` throws. */
  on: S;
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
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let current: Promise<void> = Promise.resolve();

  async function runAndPlan(): Promise<void> {
    try {
      await observed(job.name, () => job.run(context), context, failing);
    } catch {
      // Told by `observed`; the next run comes in its time.
    }
    if (!stopped) timer = setTimeout(begin, job.every(context.limits));
  }

  function begin(): void {
    current = runAndPlan();
  }

  begin();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}

async function listen<S extends WorkSubject>(
  job: MessageJob<S>,
  context: Context,
  failing: Map<string, string>,
): Promise<AsyncDisposable> {
  return context.bus.work(job.on, (message) => observed(job.name, () => job.run(message, context), context, failing));
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
