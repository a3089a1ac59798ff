import type { Report, Severity } from "@bulwark/model";
import { severities, severityRank } from "@bulwark/model/plain";
import { ReportError } from "./error.ts";
import { problemsOf, type Problem } from "./problems.ts";

/** A condition that a scan must not meet. */
export interface Gate {
  /** As it was written. */
  text: string;
  /** Does a problem meet all of it? */
  meets(problem: Problem): boolean;
}

/**
 * Reads a gate: terms between commas, which must all hold for one and the same problem. `high` is that severity or
 * worse, `fixable` has a fix, `kev` is known to be exploited, `epss>=0.1` is likely to be; `vulnerability`, `secret`,
 * `malware`, `check` are kinds. Raises `ReportError` `bad-gate`.
 */
export function parseGate(text: string): Gate {
  const terms = text.split(",").map((term) => parseTerm(term.trim().toLowerCase(), text));
  return { text, meets: (problem) => terms.every((term) => term(problem)) };
}

/** The problems that a gate does not let pass: undecided ones, and with a baseline only those that it does not know. */
export function failing(report: Report, gates: readonly Gate[], known?: ReadonlySet<string>): Problem[] {
  return problemsOf(report).filter(
    (problem) =>
      problem.decision === null &&
      known?.has(problem.fingerprint) !== true &&
      gates.some((gate) => gate.meets(problem)),
  );
}

type Term = (problem: Problem) => boolean;

const words: Readonly<Record<string, Term>> = {
  any: () => true,
  fixable: ({ fixedVersion }) => fixedVersion !== null,
  kev: ({ exploited }) => exploited,
  vulnerability: ({ kind }) => kind === "vulnerability",
  secret: ({ kind }) => kind === "secret",
  malware: ({ kind }) => kind === "malware",
  check: ({ kind }) => kind === "check",
};

function parseTerm(term: string, whole: string): Term {
  const word = words[term];
  if (word) return word;
  if ((severities as readonly string[]).includes(term)) {
    const rank = severityRank(term as Severity);
    return ({ severity }) => severityRank(severity) <= rank;
  }
  const least = /^epss>=(\d*\.?\d+)(%?)$/.exec(term);
  if (least) {
    const value = Number(least[1]) / (least[2] === "%" ? 100 : 1);
    if (value <= 1) return ({ epss }) => epss !== null && epss >= value;
  }
  throw new ReportError("bad-gate", `--fail-on ${whole}: no condition "${term}"`, {
    remedy: `${severities.join(", ")}, ${Object.keys(words).join(", ")}, epss>=0.1`,
  });
}
