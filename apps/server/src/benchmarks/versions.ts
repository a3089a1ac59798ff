import { withVersionResults } from "@bulwark/benchmark/host-versions";
import { errorText, type AgentRecord, type BenchmarkReport } from "@bulwark/model";
import type { Context } from "../context.ts";

type Judging = Pick<Context, "matcher" | "logger">;

/** Reports of hosts, with their programs held against this server's advisories: agents have none. */
export async function withJudgedVersions(records: AgentRecord[], context: Judging): Promise<AgentRecord[]> {
  if (!records.some(({ type }) => type === "benchmark")) return records;
  return Promise.all(
    records.map(async (record) =>
      record.type === "benchmark" ? { type: "benchmark", report: await judged(record.report, context) } : record,
    ),
  );
}

/** New advisories: every host is held against them, without being looked at again. */
export async function judgeEveryHost(context: Context): Promise<void> {
  const { store, closing } = context;
  for (const { subject, collectedAt } of await store.benchmarks.subjects()) {
    if (closing.aborted) return;
    const report = subject.kind === "host" ? await store.benchmarks.report(subject) : undefined;
    // One that came meanwhile has been held against them.
    if (!report?.programs || report.collectedAt !== collectedAt) continue;
    const next = await judged(report, context);
    if (next !== report) await store.benchmarks.put(next, Date.now());
  }
}

/** As it is where there are no advisories, or they cannot be read: its checks then say that they are not known. */
async function judged(report: BenchmarkReport, { matcher, logger }: Judging): Promise<BenchmarkReport> {
  if (!report.programs) return report;
  try {
    const versions = await matcher.versions(report.programs);
    return versions ? withVersionResults(report, versions) : report;
  } catch (error) {
    logger.warn({ host: report.subject.name, reason: errorText(error) }, "versions of a host could not be judged");
    return report;
  }
}
