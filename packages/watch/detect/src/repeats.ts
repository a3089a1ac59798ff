/** Milliseconds in which the same is not raised again. */
const repeatWindow = 3_600_000;
const kept = 10_000;

/** What was raised in the last hour, with a bound: the oldest is forgotten first. */
export class Repeats {
  readonly #raised = new Map<string, number>();

  isNew(key: string, now: number): boolean {
    const before = this.#raised.get(key);
    return before === undefined || now - before >= repeatWindow;
  }

  note(key: string, now: number): void {
    this.#raised.delete(key);
    this.#raised.set(key, now);
    const oldest = this.#raised.keys().next().value;
    if (this.#raised.size > kept && oldest !== undefined) this.#raised.delete(oldest);
  }
}
