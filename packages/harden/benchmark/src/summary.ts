import { checkStates, type BenchmarkReport, type CheckResult, type CheckState } from "@bulwark/model";
import type { Catalogue, CheckInfo, SetInfo } from "./catalogue.ts";

/** One check of a set, with all that was said of it: several results where several things fail. */
export interface Item {
  check: CheckInfo;
  /** Its number in the set. */
  number: string;
  /** The worst of its results: one thing that fails is a failure. */
  state: CheckState;
  results: readonly CheckResult[];
}

export interface SetSummary {
  set: SetInfo;
  applies: boolean;
  /** Why it is not about the subject, where it is not. */
  reason: string;
  /** In the order of their numbers. */
  items: readonly Item[];
  counts: Record<CheckState, number>;
  /** Of those that pass or fail, the part that passes, 0 to 1; null where none did. */
  passRate: number | null;
}

const worst: readonly CheckState[] = ["fail", "unknown", "pass", "not-applicable"];

/** The sets of a report with what their checks say. A check that this version does not know is left out. */
export function summarize(catalogue: Catalogue, { subject, sets, results }: BenchmarkReport): SetSummary[] {
  const byCheck = Map.groupBy(results, ({ check }) => check);
  return sets.flatMap(({ id, applies, reason }) => {
    const set = catalogue.sets.find((one) => one.id === id);
    if (!set) return [];
    const items = catalogue.checks[subject.kind].flatMap((check) => {
      const found = byCheck.get(check.id);
      const number = check.in[id];
      return found && number !== undefined ? [{ check, number, state: stateOf(found), results: found }] : [];
    });
    const counts = countsOf(items);
    const judged = counts.pass + counts.fail;
    const passRate = judged === 0 ? null : counts.pass / judged;
    return [{ set, applies, reason, items: items.toSorted(byNumber), counts, passRate }];
  });
}

function stateOf(results: readonly CheckResult[]): CheckState {
  return worst.find((state) => results.some((one) => one.state === state)) ?? "unknown";
}

function countsOf(items: readonly Item[]): Record<CheckState, number> {
  const counts = Object.fromEntries(checkStates.map((state) => [state, 0])) as Record<CheckState, number>;
  for (const { state } of items) counts[state]++;
  return counts;
}

/** `1.2.10` comes after `1.2.9`. */
function byNumber(a: Item, b: Item): number {
  return a.number.localeCompare(b.number, "en", { numeric: true }) || (a.check.id < b.check.id ? -1 : 1);
}
