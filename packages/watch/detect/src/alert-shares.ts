interface Share {
  tokens: number;
  filled: number;
  /** What was raised last: what is passed over is counted with it. */
  last: string;
}

/** Alerts of one rule in one container: so many at once, and one more in so many milliseconds. */
const burst = 5000;
const refill = 600;
const kept = 10_000;

/**
 * A container that makes ever other alerts of one rule, to hide one among them or to fill what keeps them, is told of less
 * often. Bounded: who was asked about longest ago is forgotten.
 */
export class AlertShares {
  readonly #shares = new Map<string, Share>();

  /**
   * Undefined where one more may be raised, as `key`; else the key that it is counted with. `whose`: the rule and the container;
   * `now`: milliseconds by a clock that nobody sets.
   */
  take(whose: string, key: string, now: number): string | undefined {
    const share = this.#shares.get(whose) ?? { tokens: burst, filled: now, last: key };
    this.#shares.delete(whose);
    this.#shares.set(whose, share);
    const oldest = this.#shares.keys().next().value;
    if (this.#shares.size > kept && oldest !== undefined) this.#shares.delete(oldest);
    const added = Math.floor((now - share.filled) / refill);
    share.tokens = Math.min(burst, share.tokens + added);
    share.filled += added * refill;
    if (share.tokens <= 0) return share.last;
    share.tokens--;
    share.last = key;
    return undefined;
  }
}
