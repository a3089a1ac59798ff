/** What parts of the server tell each other, by subject. One place to see every message there is. */
export interface Messages {
  /** Something that open pages show has changed. `data` is what the page gets. */
  live: {
    topic: "alert" | "repeats" | "container" | "image" | "finding" | "health" | "cluster" | "action" | "network";
    data: unknown;
  };
  /** There is something to do for the agent of this node. */
  ordered: { node: string };
  /** An image report is new: match it. */
  "image.reported": { key: string };
  /** The advisory database has been replaced: match every image again. */
  "advisories.updated": { builtAt: number };
}
export type Subject = keyof Messages;

/** What is kept until it is done. All other subjects are of use only at once, and are dropped where nobody keeps up. */
export const workSubjects = ["image.reported", "advisories.updated"] as const satisfies Subject[];
export type WorkSubject = (typeof workSubjects)[number];

/**
 * Messages between replicas. Two kinds of delivery, and only these:
 * - `subscribe`: every replica gets every message from now on, in order (live pages).
 * - `work`: each message is handled by exactly one replica, again if the handler throws or the replica dies. A handler may
 *   meet a message twice, so doing it again must do no harm.
 */
export interface Bus extends AsyncDisposable {
  readonly kind: "in-process" | "nats";
  /**
   * Resolves when the bus has the message (with NATS: when JetStream has it). Where it cannot have it, work raises
   * `BusError` `full` or `unavailable`, and a live message is counted as dropped. It never waits for a handler.
   */
  publish<S extends Subject>(subject: S, message: Messages[S]): Promise<void>;
  /** `id` grows with every message of the subject and is the same on every replica. What the handler throws is counted. */
  subscribe<S extends Subject>(
    subject: S,
    handler: (message: Messages[S], id: number) => void,
  ): Promise<AsyncDisposable>;
  work<S extends WorkSubject>(subject: S, handler: (message: Messages[S]) => Promise<void>): Promise<AsyncDisposable>;
  /** True when messages flow. */
  ping(): Promise<boolean>;
  /** Work that failed as often as it may, since the start of this process. */
  readonly abandoned: number;
  stats(): BusStats;
}

/** Counts since the start of this process. */
export interface BusStats {
  published: number;
  /** Live messages that a slow or absent reader did not get. */
  dropped: number;
  /** Times that a handler threw. */
  failed: number;
  abandoned: number;
}

/** Milliseconds before the second, third, … attempt at a piece of work. After the last one it is given up and counted. */
export const retryDelays: readonly number[] = [200, 1000, 5000, 15_000];
