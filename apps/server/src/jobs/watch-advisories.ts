import { errorText } from "@bulwark/model";
import type { Context } from "../context.ts";
import type { TimedJob } from "./job.ts";
import type { AdvisoryStatus } from "./matcher.ts";

/** `builtAt` of the database that was announced last, kept in the store for all replicas. */
const announced = "advisories.announced";
const day = 86_400_000;
const old = 7 * day;

/** Looks at the advisory database's file, tells how it is, and has every image matched when it is another one. */
export function watchAdvisories(): TimedJob {
  let seen: string | undefined;

  async function run(context: Context): Promise<void> {
    const status = await read(context);
    if (status === "unreadable") return;
    report(context, status);
    if (status && status.stamp !== seen) {
      // Another replica that looks at the same moment would have every image matched a second time.
      const { leases } = context.store;
      if (!(await leases.take(announced, context.holder, 30_000))) return;
      if (await isNews(context, status.builtAt, seen === undefined)) await announce(context, status.builtAt);
      await leases.release(announced, context.holder);
    }
    seen = status?.stamp;
  }

  return { name: "watch-advisories", every: (limits) => limits.advisoryPoll, run };
}

/** True where this replica's advisories are the ones that were announced, or newer, or nobody has announced any. */
export async function hasAnnouncedAdvisories({ store, matcher }: Context): Promise<boolean> {
  const last = await store.settings.get(announced);
  if (last === undefined) return true;
  const status = await matcher.status();
  return status !== undefined && status.builtAt >= Number(last);
}

async function read({ matcher, health }: Context): Promise<AdvisoryStatus | undefined | "unreadable"> {
  try {
    return await matcher.status();
  } catch (error) {
    health.report({
      id: "advisories",
      state: "failed",
      summary: "The advisory database cannot be read; images are not matched",
      reason: errorText(error),
      remedy: "bulwark db update",
    });
    return "unreadable";
  }
}

/**
 * In one process, what waited to be matched was lost when the last process ended, so a start matches everything.
 * NATS keeps what waits; there only another database is news.
 */
async function isNews({ bus, store }: Context, builtAt: number, first: boolean): Promise<boolean> {
  if (first && bus.kind === "in-process") return true;
  return builtAt > Number((await store.settings.get(announced)) ?? 0);
}

async function announce({ bus, store, logger }: Context, builtAt: number): Promise<void> {
  logger.info({ builtAt: new Date(builtAt).toISOString() }, "advisories: every image is matched");
  await bus.publish("advisories.updated", { builtAt });
  await store.settings.set(announced, String(builtAt));
}

function report({ health, advisoryDatabase }: Context, status: AdvisoryStatus | undefined): void {
  if (!status) {
    health.report({
      id: "advisories",
      state: "off",
      summary: "No advisory database: images are listed, their vulnerabilities are not known",
      reason: `${advisoryDatabase} is not there`,
      remedy: "bulwark db update",
    });
    return;
  }
  const { builtAt, advisories } = status;
  const age = Date.now() - builtAt;
  const reasons = [
    ...(age > old ? ["it is too old to know of new vulnerabilities"] : []),
    ...status.problems.map((problem) => `its last update could not read ${problem}`),
  ];
  health.report({
    id: "advisories",
    state: reasons.length === 0 ? "ok" : "degraded",
    summary: `${advisories} advisories, ${inDays(age)}`,
    reason: reasons.join("; ").slice(0, 2048),
    remedy: reasons.length === 0 ? "" : "bulwark db update",
    counters: { advisories, builtAt },
  });
}

function inDays(age: number): string {
  const days = Math.floor(age / day);
  if (days < 1) return "less than a day old";
  return days === 1 ? "1 day old" : `${days} days old`;
}
