/** What was worked out lately, so that it need not be again; within a bound, whatever a container makes of it. */
interface Lately<Value> {
  get(key: string | number): Value | undefined;
  keep(key: string | number, value: Value): void;
}

const kept = 1024;
const longest = 512;

export function createLately<Value>(): Lately<Value> {
  const known = new Map<string | number, Value>();
  return {
    get: (key) => known.get(key),
    keep(key, value) {
      if (typeof key === "string" && key.length > longest) return;
      if (known.size >= kept) known.clear();
      known.set(key, value);
    },
  };
}
