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
 * - `subscribe`: every replica gets every message from now on (live pages).
 * - `work`: each message is handled by exactly one replica, again if the handler throws or the replica dies.
 */
export interface Bus extends AsyncDisposable {
  readonly kind: "in-process" | "nats";
  /** Resolves when the bus has the message (with NATS: when JetStream has it on disk). */
  publish<S extends Subject>(subject: S, message: Messages[S]): Promise<void>;
  subscribe<S extends Subject>(
    subject: S,
    handler: (message: Messages[S], id: string) => void,
  ): Promise<AsyncDisposable>;
  work<S extends Subject>(subject: S, handler: (message: Messages[S]) => Promise<void>): Promise<AsyncDisposable>;
  /** True when messages flow. */
  ping(): Promise<boolean>;
}
