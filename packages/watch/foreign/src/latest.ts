/** A map of those that were used last: above `limit` the others are forgotten, and handed to `forget`. */
export class Latest<Value> {
  readonly #values = new Map<string, Value>();
  readonly #limit: number;
  readonly #forget: ((value: Value) => void) | undefined;

  constructor(limit: number, forget?: (value: Value) => void) {
    this.#limit = limit;
    this.#forget = forget;
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key);
    if (value !== undefined) this.#move(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#move(key, value);
    if (this.#values.size <= this.#limit) return;
    const [oldest] = this.#values;
    if (!oldest) return;
    this.#values.delete(oldest[0]);
    this.#forget?.(oldest[1]);
  }

  values(): Iterable<Value> {
    return this.#values.values();
  }

  #move(key: string, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
  }
}
