/** What was raised within a time, with a bound: the oldest is forgotten first. */
export class Repeats {
  readonly #raised = new Map<string, number>();
  readonly #window: number;
  readonly #kept: number;

  /** `window`: milliseconds in which the same is not raised again. */
  constructor(window = 3_600_000, kept = 10_000) {
    this.#window = window;
    this.#kept = kept;
  }

  isNew(key: string, now: number): boolean {
    const before = this.#raised.get(key);
    return before === undefined || now - before >= this.#window;
  }

  note(key: string, now: number): void {
    this.#raised.delete(key);
    this.#raised.set(key, now);
    const oldest = this.#raised.keys().next().value;
    if (this.#raised.size > this.#kept && oldest !== undefined) this.#raised.delete(oldest);
  }
}
