/** What a shared machine can tell. */
export interface Spread {
  median: number;
  /** Twice the standard error of the median, by the median of how far the values lie from it. */
  error: number;
}

export function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}

export function spread(values: readonly number[]): Spread {
  const middle = median(values);
  const deviation = 1.4826 * median(values.map((value) => Math.abs(value - middle)));
  return { median: middle, error: (2 * 1.2533 * deviation) / Math.sqrt(values.length) };
}

export const shown = ({ median: ratio, error }: Spread): string => `${ratio.toFixed(3)} ± ${error.toFixed(3)}`;

/** Of ratios that should be one: they lie apart by as much as is asked, or the limit is missed by less than that. */
export function isUnclear({ median: ratio, error }: Spread, limit: number): boolean {
  const isMissed = limit > 1 ? ratio > limit : ratio < limit;
  return error > Math.abs(limit - 1) || (isMissed && Math.abs(ratio - limit) <= error);
}
