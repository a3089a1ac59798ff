import { scanOrigins, type ScanOrigin } from "@bulwark/model";

/** An image that is to be scanned, and what has become of that so far. */
export interface QueuedImage<Place> {
  key: string;
  name: string;
  digest: string | null;
  origin: ScanOrigin;
  place: Place;
  attempts: number;
  queuedAt: number;
  /** Not before. */
  nextAt: number;
}

/** An image is scanned again after so long: a root file system (bare runc) changes, and so do the rules. */
const again = 24 * 3_600_000;
const mostAttempts = 4;
const firstPause = 30_000;
/** Images that are remembered: beyond it the oldest is scanned once more than needed. */
const remembered = 10_000;

/**
 * Which image is scanned next: those of running containers before all others, each once a day; what failed is tried
 * again with growing pauses, behind what waits.
 */
export class ImageQueue<Place> {
  readonly #waiting = new Map<string, QueuedImage<Place>>();
  /** When each was begun that is done, or given up. */
  readonly #done = new Map<string, number>();

  get size(): number {
    return this.#waiting.size;
  }

  /** The one that waits now; undefined where it was scanned lately, or waits already and is no more urgent now. */
  add(
    image: Pick<QueuedImage<Place>, "key" | "name" | "digest" | "origin" | "place">,
    now: number,
  ): QueuedImage<Place> | undefined {
    if (now - (this.#done.get(image.key) ?? -again) < again) return undefined;
    const known = this.#waiting.get(image.key);
    if (known && rank(known) <= rank(image)) return undefined;
    const queued = {
      ...image,
      attempts: known?.attempts ?? 0,
      queuedAt: known?.queuedAt ?? now,
      nextAt: known?.nextAt ?? now,
    };
    this.#waiting.set(image.key, queued);
    return queued;
  }

  /** Takes the next one out. `pause`: milliseconds until one may begin, where all that wait have failed before. */
  take(now: number): { image: QueuedImage<Place> } | { pause: number } | undefined {
    let next: QueuedImage<Place> | undefined;
    let pause = Infinity;
    for (const image of this.#waiting.values()) {
      if (image.nextAt > now) pause = Math.min(pause, image.nextAt - now);
      else if (!next || rank(image) < rank(next)) next = image;
    }
    if (next) {
      this.#waiting.delete(next.key);
      return { image: { ...next, attempts: next.attempts + 1 } };
    }
    return pause === Infinity ? undefined : { pause };
  }

  done({ key }: QueuedImage<Place>, now: number): void {
    this.#done.delete(key);
    this.#done.set(key, now);
    for (const oldest of this.#done.keys()) {
      if (this.#done.size <= remembered) break;
      this.#done.delete(oldest);
    }
  }

  /** When it is tried again; null where it is given up until tomorrow. */
  failed(image: QueuedImage<Place>, now: number): number | null {
    if (image.attempts >= mostAttempts) {
      this.done(image, now);
      return null;
    }
    const nextAt = now + firstPause * 4 ** (image.attempts - 1);
    this.#waiting.set(image.key, { ...image, nextAt });
    return nextAt;
  }

  clear(): void {
    this.#waiting.clear();
  }
}

function rank({ origin }: Pick<QueuedImage<unknown>, "origin">): number {
  return scanOrigins.indexOf(origin);
}
