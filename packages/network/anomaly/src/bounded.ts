/** A memory of so many keys: the one that was asked for longest ago is forgotten first, and counted. */
export interface Bounded<Value> {
  /** What is remembered of a key, made anew when nothing is. */
  of(key: string): Value;
  readonly forgotten: number;
}

export function createBounded<Value>(limit: number, make: () => Value): Bounded<Value> {
  const values = new Map<string, Value>();
  let forgotten = 0;
  return {
    of(key) {
      const known = values.get(key);
      if (known !== undefined) {
        values.delete(key);
        values.set(key, known);
        return known;
      }
      const value = make();
      values.set(key, value);
      if (values.size > limit) {
        const [oldest] = values.keys();
        if (oldest !== undefined) values.delete(oldest);
        forgotten++;
      }
      return value;
    },
    get forgotten() {
      return forgotten;
    },
  };
}
