/**
 * Shapes of JSON for what is read before a watch has begun, which is shorter than loading schemas takes. A value is of a
 * shape whole, or not; what a shape does not name is passed over.
 */
export type Shape<T> = (value: unknown) => value is T;
export type Of<S> = S extends Shape<infer T> ? T : never;

export const text: Shape<string> = (value) => typeof value === "string";
export const number: Shape<number> = (value) => typeof value === "number";
export const anything: Shape<unknown> = (_value): _value is unknown => true;
export const boolean: Shape<boolean> = (value) => typeof value === "boolean";

/** Absent or null, too. */
export function maybe<T>(shape: Shape<T>): Shape<T | null | undefined> {
  return (value): value is T | null | undefined => value === undefined || value === null || shape(value);
}

export function list<T>(item: Shape<T>): Shape<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(item);
}

export function dictionary<T>(item: Shape<T>): Shape<Record<string, T>> {
  return (value): value is Record<string, T> => isRecord(value) && Object.values(value).every(item);
}

export function object<S extends Record<string, Shape<unknown>>>(fields: S): Shape<{ [K in keyof S]: Of<S[K]> }> {
  const shapes = Object.entries(fields);
  return (value): value is { [K in keyof S]: Of<S[K]> } =>
    isRecord(value) && shapes.every(([name, shape]) => shape(value[name]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
