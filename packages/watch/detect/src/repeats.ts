interface Raised {
  at: number;
  /** What was raised. */
  id: string;
  /** The same again since that was last asked for, and when at last. */
  count: number;
  last: number;
}

/** What was raised within a time, with a bound: the oldest is forgotten first. What comes again meanwhile is counted. */
export class Repeats {
  readonly #raised = new Map<string, Raised>();
  /** Those that have come again. */
  readonly #again = new Set<Raised>();
  readonly #window: number;
  readonly #kept: number;

  /** `window`: milliseconds in which the same is not raised again. */
  constructor(window = 3_600_000, kept = 10_000) {
    this.#window = window;
    this.#kept = kept;
  }

  isNew(key: string, now: number): boolean {
    const before = this.#raised.get(key);
    // A clock that was set back knows no more how long ago it was.
    return before === undefined || now - before.at >= this.#window || now < before.at;
  }

  /** What was raised and is not raised again now; undefined where it is new. */
  raisedAs(key: string, now: number): string | undefined {
    return this.isNew(key, now) ? undefined : this.#raised.get(key)?.id;
  }

  note(key: string, now: number, id = ""): void {
    this.#raised.delete(key);
    this.#raised.set(key, { at: now, id, count: 0, last: now });
    const oldest = this.#raised.keys().next().value;
    if (this.#raised.size > this.#kept && oldest !== undefined) this.#raised.delete(oldest);
  }

  /** What is not new has come again, at that time of the wall clock. */
  again(key: string, time: number): void {
    const raised = this.#raised.get(key);
    if (!raised) return;
    raised.count++;
    raised.last = raised.count === 1 ? time : Math.max(raised.last, time);
    this.#again.add(raised);
  }

  /** At most `most` of what has come again since it was taken last. */
  take(most: number): { alert: string; count: number; last: number }[] {
    const taken = [...this.#again].slice(0, most);
    return taken.map((raised) => {
      const { id, count, last } = raised;
      raised.count = 0;
      this.#again.delete(raised);
      return { alert: id, count, last };
    });
  }
}
