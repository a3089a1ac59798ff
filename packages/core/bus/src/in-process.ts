import { attempts, retryDelays, type Bus, type Messages, type Subject } from "./bus.ts";

/** Messages that may wait for one worker; more means that work comes faster than it is done, and the publisher waits. */
const waitingLimit = 10_000;

/** The bus of one process: no network, no disk. What waits when the process dies is gone; its source must tell again. */
export function openInProcessBus(): Bus {
  const subscribers = new Map<Subject, Set<(message: never, id: number) => void>>();
  const workers = new Map<Subject, Queue>();
  let sequence = 0;
  let abandoned = 0;

  return {
    kind: "in-process",
    get abandoned() {
      return abandoned;
    },
    async publish(subject, message) {
      const id = ++sequence;
      for (const handler of subscribers.get(subject) ?? []) handler(message as never, id);
      await workers.get(subject)?.push(message);
    },
    async subscribe(subject, handler) {
      const handlers = subscribers.get(subject) ?? new Set();
      subscribers.set(subject, handlers.add(handler));
      return {
        async [Symbol.asyncDispose]() {
          handlers.delete(handler);
        },
      };
    },
    async work<S extends Subject>(subject: S, handler: (message: Messages[S]) => Promise<void>) {
      const queue = startQueue(
        async (message) => handler(message as Messages[S]),
        () => abandoned++,
      );
      workers.set(subject, queue);
      return {
        async [Symbol.asyncDispose]() {
          workers.delete(subject);
          await queue.stop();
        },
      };
    },
    async ping() {
      return true;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...workers.values()].map(async (queue) => queue.stop()));
    },
  };
}

interface Queue {
  push(message: unknown): Promise<void>;
  stop(): Promise<void>;
}

function startQueue(handler: (message: unknown) => Promise<void>, abandon: () => void): Queue {
  const waiting: unknown[] = [];
  const stopping = new AbortController();
  let wake: (() => void) | undefined;
  let room: (() => void)[] = [];

  async function handle(message: unknown): Promise<void> {
    for (let attempt = 1; attempt <= attempts && !stopping.signal.aborted; attempt++) {
      try {
        return await handler(message);
      } catch {
        await pause(retryDelays[attempt - 1] ?? 0, stopping.signal);
      }
    }
    abandon();
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (waiting.length === 0) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      await handle(waiting.shift());
      for (const resolve of room) resolve();
      room = [];
    }
  }

  const running = loop();
  return {
    async push(message) {
      while (waiting.length >= waitingLimit && !stopping.signal.aborted) {
        await new Promise<void>((resolve) => room.push(resolve));
      }
      waiting.push(message);
      wake?.();
    },
    async stop() {
      stopping.abort();
      wake?.();
      for (const resolve of room) resolve();
      await running;
    },
  };
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
