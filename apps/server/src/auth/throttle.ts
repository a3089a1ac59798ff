/** Slows whoever fails: each failure beyond the free ones doubles the wait, up to a bound. */
export interface Throttle {
  /**
   * Counts an attempt for every key before it is made, so that attempts side by side are counted too. Returns the
   * milliseconds to wait when one of them must; then nothing is counted.
   */
  attempt(keys: string[], now: number): number;
  /** Forgets the failures of these keys. */
  succeeded(keys: string[]): void;
}

export interface ThrottleOptions {
  free: number;
  firstWait: number;
  longestWait: number;
  /** After so long without a failure a key is new again. */
  memory: number;
  /** Keys remembered; the one that failed longest ago goes first. */
  keys: number;
}

/**
 * The wait is a minute at most: a stranger who fails on purpose must not lock the owner out for long, and a
 * minute an attempt is slow enough for passwords of 12 characters.
 */
const defaults: ThrottleOptions = { free: 5, firstWait: 1000, longestWait: 60_000, memory: 900_000, keys: 10_000 };

export function createThrottle(options: ThrottleOptions = defaults): Throttle {
  const failures = new Map<string, { count: number; until: number }>();

  function attempt(keys: string[], now: number): number {
    const wait = Math.max(0, ...keys.map((key) => (failures.get(key)?.until ?? 0) - now));
    if (wait > 0) return wait;
    for (const key of keys) {
      const past = failures.get(key);
      const count = (past && past.until + options.memory > now ? past.count : 0) + 1;
      const over = count - options.free;
      const delay = over <= 0 ? 0 : Math.min(options.firstWait * 2 ** Math.min(over - 1, 30), options.longestWait);
      failures.delete(key);
      failures.set(key, { count, until: now + delay });
    }
    for (const key of failures.keys()) {
      if (failures.size <= options.keys) break;
      failures.delete(key);
    }
    return 0;
  }

  function succeeded(keys: string[]): void {
    for (const key of keys) failures.delete(key);
  }

  return { attempt, succeeded };
}

/** One key for all addresses that one subscriber commonly holds: an IPv6 /64, an IPv4 address. */
export function addressKey(address: string): string {
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (v4 !== undefined) return `address:${v4}`;
  const [head = "", tail = ""] = address.replace(/%.*$/, "").split("::");
  const left = head.split(":").filter(Boolean);
  const right = tail.split(":").filter(Boolean);
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return `address:${[...left, ...zeros, ...right].slice(0, 4).join(":")}`;
}
