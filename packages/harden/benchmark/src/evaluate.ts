import { evaluateChecks, type Facts } from "@bulwark/check";
import type { BenchmarkReport, BenchmarkSubject } from "@bulwark/model";
import type { Needs } from "./collector.ts";
import type { BenchmarkCheck, Library } from "./load.ts";

/** Which checks are asked: all, unless something is said. */
export interface Choice {
  sets?: ReadonlySet<string> | undefined;
  /** 1 leaves those of level 2 out. */
  level?: 1 | 2 | undefined;
}

/** The checks of a kind that were chosen; each once, whatever the sets that it is part of. */
export function chosen(
  { checks }: Library,
  of: BenchmarkSubject["kind"],
  { sets, level = 2 }: Choice,
): BenchmarkCheck[] {
  return checks[of].filter(
    (check) => check.level <= level && (!sets || Object.keys(check.in).some((name) => sets.has(name))),
  );
}

/** All that checks ask for by name, each once. */
export function needsOf(checks: readonly BenchmarkCheck[]): Needs {
  const all = (name: keyof Needs): string[] => [...new Set(checks.flatMap(({ needs }) => needs[name]))].toSorted();
  return { files: all("files"), texts: all("texts"), settings: all("settings"), units: all("units") };
}

/**
 * What the checks say of facts. A set that is not about the subject says so, and what is only in such sets is not asked;
 * where that cannot be told, it is asked, and says itself what is not known.
 */
export function evaluateBenchmark(
  library: Library,
  subject: BenchmarkSubject,
  facts: Facts,
  choice: Choice = {},
): Omit<BenchmarkReport, "collectedAt" | "durationMs"> {
  const asked = library.sets.filter(({ id, of }) => of === subject.kind && (!choice.sets || choice.sets.has(id)));
  const sets = asked.map((set) => {
    const [result] = evaluateChecks([set], facts, subject.name);
    const applies = result?.state !== "fail";
    return { id: set.id, applies, reason: result?.state === "pass" ? "" : (result?.reason ?? "") };
  });
  const about = new Set(sets.filter(({ applies }) => applies).map(({ id }) => id));
  const checks = chosen(library, subject.kind, { ...choice, sets: about });
  return { subject, sets, results: evaluateChecks(checks, facts, subject.name) };
}
