import calculator from "ae-cvss-calculator";

/** Feeds say the same few thousand vectors again and again. */
const known = new Map<string, number | undefined>();
const knownLimit = 20_000;

/** Base score of a CVSS vector, version 2 to 4, by its formula. Undefined where the vector is none, or incomplete. */
export function cvssScore(vector: string): number | undefined {
  if (vector.length > 256) return undefined;
  if (known.has(vector)) return known.get(vector);
  if (known.size >= knownLimit) known.clear();
  const score = calculate(vector);
  known.set(vector, score);
  return score;
}

/** The library takes what is missing of version 4 for "no impact". */
const whole4 =
  /^CVSS:4\.0(?=.*\/AV:)(?=.*\/AC:)(?=.*\/AT:)(?=.*\/PR:)(?=.*\/UI:)(?=.*\/VC:)(?=.*\/VI:)(?=.*\/VA:)(?=.*\/SC:)(?=.*\/SI:)(?=.*\/SA:)/;

function calculate(vector: string): number | undefined {
  if (vector.startsWith("CVSS:4") && !whole4.test(vector)) return undefined;
  try {
    const { base } = calculator.fromVector(vector)?.calculateScores(false) ?? {};
    return typeof base === "number" && base >= 0 && base <= 10 ? base : undefined;
  } catch {
    return undefined;
  }
}

/** The newest version of CVSS whose vector is whole. */
export function bestVector(scores: { type: string; score: string }[]): string | null {
  for (const type of ["CVSS_V4", "CVSS_V3", "CVSS_V2"]) {
    const found = scores.find((item) => item.type === type && cvssScore(item.score) !== undefined);
    if (found) return found.score;
  }
  return null;
}
