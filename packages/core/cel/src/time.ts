import { failure } from "./errors.ts";
import { Duration, Timestamp } from "./values.ts";

const second = 1_000_000_000n;

/** RFC 3339: `2026-01-02T03:04:05.678+09:00`. */
export function parseTimestamp(text: string): Timestamp {
  const match = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(text);
  const [, year, month, day, hour, minute, seconds, fraction = "", sign, hours = 0, minutes = 0] = match ?? [];
  const at = new Date(0);
  at.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  at.setUTCHours(Number(hour), Number(minute), Number(seconds));
  const valid =
    match !== null &&
    at.getUTCMonth() === Number(month) - 1 &&
    at.getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(seconds) < 60;
  if (!valid) throw failure(`${JSON.stringify(text.slice(0, 50))} is no time of RFC 3339`);
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 * (sign === "-" ? -1 : 1);
  const nanos = BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return new Timestamp(BigInt(at.getTime() / 1000 - offset) * second + nanos);
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: second,
  m: 60n * second,
  h: 3600n * second,
};

/** As Go reads one: `1h30m`, `-1.5s`. */
export function parseDuration(text: string): Duration {
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (!match || text.length > 200) throw failure(`${JSON.stringify(text.slice(0, 50))} is no duration`);
  let nanos = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of (match[2] ?? "").matchAll(/(\d*)\.?(\d*)([a-zµμ]+)/g)) {
    const size = units[unit] ?? 0n;
    nanos += BigInt(whole || 0) * size;
    if (fraction !== "") nanos += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  return new Duration(match[1] === "-" ? -nanos : nanos);
}

export type Part =
  | "Date"
  | "DayOfMonth"
  | "DayOfWeek"
  | "DayOfYear"
  | "FullYear"
  | "Hours"
  | "Milliseconds"
  | "Minutes"
  | "Month"
  | "Seconds";

/** A part of a time in UTC, in a zone (`Europe/Berlin`) or at an offset (`-08:00`). Months and days count from 0, `Date` from 1. */
export function timestampPart({ nanos }: Timestamp, part: Part, zone = "UTC"): number {
  const millis = Number(nanos / 1_000_000n) - (nanos % 1_000_000n < 0n ? 1 : 0);
  const local = new Date(millis + offsetOf(zone, millis));
  switch (part) {
    case "FullYear":
      return local.getUTCFullYear();
    case "Month":
      return local.getUTCMonth();
    case "Date":
      return local.getUTCDate();
    case "DayOfMonth":
      return local.getUTCDate() - 1;
    case "DayOfWeek":
      return local.getUTCDay();
    case "DayOfYear": {
      const start = new Date(local);
      start.setUTCMonth(0, 1);
      return Math.round((startOfDay(local) - startOfDay(start)) / 86_400_000);
    }
    case "Hours":
      return local.getUTCHours();
    case "Minutes":
      return local.getUTCMinutes();
    case "Seconds":
      return local.getUTCSeconds();
    case "Milliseconds":
      return local.getUTCMilliseconds();
  }
}

function startOfDay(date: Date): number {
  return new Date(date).setUTCHours(0, 0, 0, 0);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds east of UTC. */
function offsetOf(zone: string, millis: number): number {
  if (zone === "UTC" || zone === "") return 0;
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return (fixed[1] === "-" ? -minutes : minutes) * 60_000;
  }
  const format = formats.get(zone) ?? makeFormat(zone);
  const values = Object.fromEntries(format.formatToParts(millis).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: seconds = 0 } = values;
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, seconds);
  return local.getTime() - Math.floor(millis / 1000) * 1000;
}

function makeFormat(zone: string): Intl.DateTimeFormat {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-u-ca-iso8601-hc-h23", {
      timeZone: zone,
      ...{ year: "numeric", month: "numeric", day: "numeric" },
      ...{ hour: "numeric", minute: "numeric", second: "numeric" },
    });
  } catch {
    throw failure(`unknown time zone ${JSON.stringify(zone.slice(0, 60))}`);
  }
  // There are some 600 zones: this is the bound.
  formats.set(zone, format);
  return format;
}
