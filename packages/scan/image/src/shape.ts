/**
 * Reads documents of images field by field: few, small, and read by every scan, also by one that knows the image already
 * and has less time than schemas take to load. Whatever is not of its kind makes the whole document unreadable.
 *
 *     const manifest = read(document, (value) => ({ layers: list(1000, descriptor)(object(value)["layers"]) }));
 */
type Shape<T> = (value: unknown) => T;

class WrongShape extends Error {}

/** Undefined where any part of the value is not as the shape says. */
export function read<T>(value: unknown, shape: Shape<T>): T | undefined {
  try {
    return shape(value);
  } catch (error) {
    if (error instanceof WrongShape) return undefined;
    throw error;
  }
}

/** An object of JSON, whose fields are read one by one. */
export function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new WrongShape();
  return value as Readonly<Record<string, unknown>>;
}

export function text(value: unknown): string {
  if (typeof value !== "string") throw new WrongShape();
  return value;
}

export function sha256(value: unknown): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(text(value))) throw new WrongShape();
  return text(value);
}

/** A number of them. */
export function bytes(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw new WrongShape();
  return value;
}

export function flag(value: unknown): boolean {
  if (typeof value !== "boolean") throw new WrongShape();
  return value;
}

/** What may be absent, or null. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value) => (value === undefined || value === null ? undefined : shape(value));
}

export function list<T>(most: number, shape: Shape<T>): Shape<T[]> {
  return (value) => {
    if (!Array.isArray(value) || value.length > most) throw new WrongShape();
    return value.map((item) => shape(item));
  };
}

/** An object whose keys are names, and whose values are all of one kind. */
export function names<T>(shape: Shape<T>): Shape<Record<string, T>> {
  return (value) => Object.fromEntries(Object.entries(object(value)).map(([name, item]) => [name, shape(item)]));
}
