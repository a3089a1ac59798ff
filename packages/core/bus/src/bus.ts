/** What parts of the server tell each other, by subject. One place to see every message there is. */
export interface Messages {
  /** Something that open pages show has changed. `data` is what the page gets. */
  live: { topic: "alert" | "container" | "image" | "finding" | "health"; data: unknown };
  /** An image report is new: match it. */
  "image.reported": { key: string };
  /** The advisory database has been replaced: match every image again. */
  "advisories.updated": { builtAt: number };
}
export type Subject = keyof Messages;

/**
 * Messages between replicas. Two kinds of delivery, and only these:
 * - `subscribe`: every replica gets every message from now on, in order (live pages).
 * - `work`: each message is handled by exactly one replica, again if the handler throws or the replica dies.
 */
export interface Bus extends AsyncDisposable {
  readonly kind: "in-process" | "nats";
  /** Resolves when the bus has the message (with NATS: when JetStream has it on disk). */
  publish<S extends Subject>(subject: S, message: Messages[S]): Promise<void>;
  /** `id` grows with every message of the subject and is the same on every replica. */
  subscribe<S extends Subject>(
    subject: S,
    handler: (message: Messages[S], id: number) => void,
  ): Promise<AsyncDisposable>;
  work<S extends Subject>(subject: S, handler: (message: Messages[S]) => Promise<void>): Promise<AsyncDisposable>;
  /** True when messages flow. */
  ping(): Promise<boolean>;
  /** Work that failed as often as it may, since the start of this process. */
  readonly abandoned: number;
}

/** How often a handler of `work` may fail on one message before it is given up and counted. */
export const attempts = 5;
/** Milliseconds before the second, third, … attempt. */
export const retryDelays = [200, 1000, 5000, 15_000];
