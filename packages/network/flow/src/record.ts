/** A record of a log as it was parsed; nothing in it is trusted. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** What is wrong with a record, in words for a person. */
export class BrokenRecord extends Error {}

/** Longest text that is kept of any one field; DNS names have at most 253 characters, Kubernetes' names too. */
const longest = 1024;

export function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value !== "-" ? value.slice(0, longest) : null;
}

/** A count: numbers, and numbers written as text, as some of the projects do. Absent or `-` is 0. */
export function count(value: unknown): number {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number > 0 ? Math.floor(number) : 0;
}

export function portOf(value: unknown, what: string): number {
  const port = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof port === "number" && Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new BrokenRecord(`${what} is no port: ${shown(value)}`);
}

/** Seconds since the epoch, or a time as ISO 8601; to milliseconds. */
export function timeOf(value: unknown, what: string): number {
  const number = typeof value === "string" && /^\d{1,12}(\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && number > 0 && number < 1e12) return Math.round(number * 1000);
  // Suricata writes +0000, which ISO 8601 has and ECMAScript has not.
  const time = typeof value === "string" ? Date.parse(value.replace(/([+-]\d\d)(\d\d)$/, "$1:$2")) : Number.NaN;
  if (Number.isNaN(time)) throw new BrokenRecord(`${what} is no time: ${shown(value)}`);
  return time;
}

export function nameOf(value: unknown): string | null {
  const name = text(value);
  if (name === null || name.length > 254) return null;
  return name.toLowerCase().replace(/\.$/, "") || null;
}

export function recordAt(value: unknown): LogRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as LogRecord) : {};
}

export function listAt(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, 256) : [];
}

export function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "absent").slice(0, 60);
}
