import { workSubjects, type Bus, type BusStats, type Messages, type Subject } from "./bus.ts";
import { BusError } from "./error.ts";

/** Work that may wait; more means that it comes faster than it is done, and its publisher is told. */
const waitingLimit = 10_000;
/** Live messages that may wait for their handlers. */
const liveLimit = 10_000;

type Handler = (message: never, id: number) => void;

/** The bus of one process: no network, no disk. What waits when the process dies is gone; its source must tell again. */
export function openInProcessBus(retryDelays: readonly number[]): Bus {
  const counts: BusStats = { published: 0, dropped: 0, failed: 0, abandoned: 0 };
  const subscribers = new Map<Subject, Set<Handler>>();
  const queues = new Map<Subject, Queue>(workSubjects.map((subject) => [subject, startQueue(counts, retryDelays)]));
  let sequence = 0;
  let waiting: (() => void)[] = [];

  /** Handlers run after the publisher has gone on, never on its stack. */
  function deliver(subject: Subject, message: unknown, id: number): void {
    const handlers = subscribers.get(subject);
    if (!handlers || handlers.size === 0) return;
    if (waiting.length >= liveLimit) {
      counts.dropped += handlers.size;
      return;
    }
    waiting.push(() => {
      for (const handler of handlers) {
        try {
          handler(message as never, id);
        } catch {
          counts.failed++;
        }
      }
    });
    if (waiting.length === 1) setImmediate(flush);
  }

  function flush(): void {
    const ready = waiting;
    waiting = [];
    for (const run of ready) run();
  }

  return {
    kind: "in-process",
    get abandoned() {
      return counts.abandoned;
    },
    stats: () => ({ ...counts }),
    async publish(subject, message) {
      queues.get(subject)?.push(message);
      counts.published++;
      deliver(subject, message, ++sequence);
    },
    async subscribe(subject, handler) {
      const handlers = subscribers.get(subject) ?? new Set<Handler>();
      subscribers.set(subject, handlers.add(handler));
      return {
        async [Symbol.asyncDispose]() {
          handlers.delete(handler);
        },
      };
    },
    async work<S extends Subject>(subject: S, handler: (message: Messages[S]) => Promise<void>) {
      const queue = queues.get(subject);
      if (!queue) throw new Error(`${subject} is no subject of work`);
      const stop = queue.work(async (message) => handler(message as Messages[S]));
      return {
        async [Symbol.asyncDispose]() {
          await stop();
        },
      };
    },
    async ping() {
      return true;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...queues.values()].map(async (queue) => queue.close()));
    },
  };
}

interface Queue {
  push(message: unknown): void;
  /** Begins to handle, one message after another; what it returns ends that when the message in hand is done. */
  work(handler: (message: unknown) => Promise<void>): () => Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  message: unknown;
  attempt: number;
}

/** Keeps work from the first message on, whether or not a worker is there yet. */
function startQueue(counts: BusStats, retryDelays: readonly number[]): Queue {
  const ready: Waiting[] = [];
  const timers = new Map<NodeJS.Timeout, Waiting>();
  const workers = new Set<() => Promise<void>>();
  const idle = new Set<() => void>();

  function add(item: Waiting): void {
    ready.push(item);
    for (const wake of idle) wake();
  }

  /** A message that fails waits aside, so that it does not hold up those behind it. */
  function retry(item: Waiting): void {
    counts.failed++;
    const delay = retryDelays[item.attempt - 1];
    if (delay === undefined) {
      counts.abandoned++;
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      add({ ...item, attempt: item.attempt + 1 });
    }, delay);
    timers.set(timer, item);
  }

  async function loop(handler: (message: unknown) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const item = ready.shift();
      if (item) await handler(item.message).catch(() => retry(item));
      else await wakeUp(signal);
    }
  }

  async function wakeUp(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        idle.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      idle.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  return {
    push(message) {
      if (ready.length + timers.size >= waitingLimit) {
        throw new BusError("full", `${waitingLimit} pieces of work wait already`, { remedy: "try again later" });
      }
      add({ message, attempt: 1 });
    },
    work(handler) {
      const stopping = new AbortController();
      const running = loop(handler, stopping.signal);
      const stop = async (): Promise<void> => {
        stopping.abort();
        workers.delete(stop);
        await running;
      };
      workers.add(stop);
      return stop;
    },
    async close() {
      await Promise.all([...workers].map(async (stop) => stop()));
      for (const timer of timers.keys()) clearTimeout(timer);
      timers.clear();
    },
  };
}
