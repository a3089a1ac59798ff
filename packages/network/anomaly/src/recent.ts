/** Different things of the last while: bounded in number, each with the time when it was last there. */
export interface Recent {
  add(thing: string, time: number): void;
  /** How many are not older than `time` less the window. */
  count(time: number): number;
  list(): string[];
}

export function createRecent(window: number, limit: number): Recent {
  const seen = new Map<string, number>();
  return {
    add(thing, time) {
      seen.delete(thing);
      seen.set(thing, time);
      expire(time);
      const [oldest] = seen.keys();
      if (seen.size > limit && oldest !== undefined) seen.delete(oldest);
    },
    count(time) {
      expire(time);
      return seen.size;
    },
    list: () => [...seen.keys()],
  };

  function expire(time: number): void {
    for (const [thing, at] of seen) {
      if (at >= time - window) return;
      seen.delete(thing);
    }
  }
}
