import { count } from "../http/figures.ts";

/** What open pages are told of together, however often and from however many sides it comes. */
export interface News<T> extends Disposable {
  /** At once where nothing was said lately; else together with all that comes until the pause is over. */
  came(items: Iterable<T>): void;
}

export interface NewsOptions<T> {
  /** Its name in metrics. */
  what: string;
  /** Something is told at most once in so many milliseconds. */
  pause: number;
  /** What may wait. More is not told, and counted: who fetches anew has it. */
  most: number;
  keyOf(item: T): string;
  /** What is told of two with one key. */
  merge(before: T, item: T): T;
  tell(items: T[]): void;
}

export function createNews<T>({ what, pause, most, keyOf, merge, tell }: NewsOptions<T>): News<T> {
  const waiting = new Map<string, T>();
  let timer: NodeJS.Timeout | undefined;

  function say(): void {
    timer = undefined;
    if (waiting.size === 0) return;
    tell([...waiting.values()]);
    waiting.clear();
    timer = setTimeout(say, pause).unref();
  }

  function take(item: T): void {
    const key = keyOf(item);
    const before = waiting.get(key);
    if (before !== undefined) waiting.set(key, merge(before, item));
    else if (waiting.size < most) waiting.set(key, item);
    else count.newsDropped.inc({ what });
  }

  return {
    came(items) {
      for (const item of items) take(item);
      if (!timer) say();
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
