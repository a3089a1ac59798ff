import { compareVersions, type VersionScheme } from "./versions/index.ts";

/** From `from` on (inclusive; null is before every version) to `to`: `[from, to)`, or `[from, to]` where `closed`. */
export interface Range {
  from: string | null;
  /** Null is without an end. */
  to: string | null;
  closed: boolean;
}

/** One event of an OSV range: of the four only one is there. */
export interface RangeEvent {
  introduced?: string | undefined;
  fixed?: string | undefined;
  last_affected?: string | undefined;
  limit?: string | undefined;
}

/**
 * What the events of one OSV range hold, as ranges that do not meet: the evaluation algorithm of the specification
 * (https://ossf.github.io/osv-schema/#evaluation), done once for all versions. Events are taken in the order of their
 * versions, whatever order the record has; `introduced: 0` is before every version; of several limits the greatest counts.
 */
export function rangesOf(events: RangeEvent[], scheme: VersionScheme): Range[] {
  const sorted = events
    .filter((event) => event.limit === undefined)
    .toSorted((a, b) => compareEvents(versionOf(a), versionOf(b), scheme));
  const found: Range[] = [];
  let open: { from: string | null } | undefined;
  for (const event of sorted) {
    if (event.introduced !== undefined) {
      open ??= { from: versionOf(event) };
      continue;
    }
    const { fixed } = event;
    // Records that say both of one version (the schema forbids it): what is fixed there is not affected.
    const before = found.at(-1);
    if (fixed !== undefined && before?.to !== undefined && before.to !== null && before.closed) {
      if (compareVersions(scheme, before.to, fixed) === 0) before.closed = false;
    }
    if (open) {
      found.push({
        from: open.from,
        to: fixed ?? event.last_affected ?? null,
        closed: fixed === undefined,
      });
      open = undefined;
    }
  }
  if (open) found.push({ from: open.from, to: null, closed: false });
  return limited(found, limitOf(events, scheme), scheme);
}

/** The range that a version is in. */
export function rangeWith(ranges: readonly Range[], version: string, scheme: VersionScheme): Range | undefined {
  return ranges.find(({ from, to, closed }) => {
    if (from !== null && compareVersions(scheme, version, from) < 0) return false;
    if (to === null) return true;
    const order = compareVersions(scheme, version, to);
    return order < 0 || (closed && order === 0);
  });
}

function versionOf(event: RangeEvent): string | null {
  if (event.introduced === "0") return null;
  return event.introduced ?? event.fixed ?? event.last_affected ?? null;
}

function compareEvents(a: string | null, b: string | null, scheme: VersionScheme): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  return compareVersions(scheme, a, b);
}

/** Undefined where there is none, or one of them is `*`: without a limit. */
function limitOf(events: RangeEvent[], scheme: VersionScheme): string | undefined {
  const limits = events.map(({ limit }) => limit).filter((limit) => limit !== undefined);
  if (limits.includes("*")) return undefined;
  return limits.toSorted((a, b) => compareVersions(scheme, a, b)).at(-1);
}

function limited(ranges: Range[], limit: string | undefined, scheme: VersionScheme): Range[] {
  if (limit === undefined) return ranges;
  return ranges
    .filter(({ from }) => from === null || compareVersions(scheme, from, limit) < 0)
    .map((range) => {
      const ends = range.to !== null && compareVersions(scheme, range.to, limit) < 0;
      return ends ? range : { ...range, to: limit, closed: false };
    });
}
