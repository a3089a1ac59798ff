import { errorText, type KubeChange } from "@bulwark/model";

/** Hands changes on in their order, many at a time. */
export interface ChangeWriter extends AsyncDisposable {
  /** Resolves at once, or when there is room again: whoever reads from the API server waits with what comes next. */
  add(change: KubeChange): Promise<void>;
  /** Nothing waits to be written. */
  readonly isIdle: boolean;
  readonly written: number;
  /** Why the last batch was not taken; empty where it was. Nothing is lost: it is tried again. */
  readonly trouble: string;
}

export interface WriterOptions {
  /** Says how many objects are now others than before. Rejects where nothing was taken. */
  write(changes: readonly KubeChange[]): Promise<number>;
  /** Milliseconds for which changes are gathered. */
  gather: number;
  /** It begins to be in trouble: once, until it is well again. */
  troubled(reason: string): void;
}

const mostWaiting = 2000;
const again = 1000;

export function createWriter({ write, gather, troubled }: WriterOptions): ChangeWriter {
  let waiting: KubeChange[] = [];
  let flushing: Promise<void> | undefined;
  let room = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const closing = new AbortController();
  let written = 0;
  let trouble = "";

  async function flush(): Promise<void> {
    timer = undefined;
    const batch = waiting;
    waiting = [];
    room.resolve();
    room = Promise.withResolvers<void>();
    for (;;) {
      try {
        written += await write(batch);
        trouble = "";
        return;
      } catch (error) {
        if (trouble === "") troubled(errorText(error));
        trouble = errorText(error);
        // Who has the cluster next begins with a whole list.
        if (closing.signal.aborted) return;
        await new Promise((resolve) => setTimeout(resolve, again));
      }
    }
  }

  function plan(): void {
    if (flushing || timer || waiting.length === 0) return;
    timer = setTimeout(begin, waiting.length >= mostWaiting ? 0 : gather);
  }
  function begin(): void {
    clearTimeout(timer);
    flushing = flush().finally(() => {
      flushing = undefined;
      plan();
    });
  }

  return {
    async add(change) {
      while (waiting.length >= mostWaiting && !closing.signal.aborted) {
        plan();
        await room.promise;
      }
      if (closing.signal.aborted) return;
      waiting.push(change);
      if (waiting.length >= mostWaiting && !flushing) begin();
      else plan();
    },
    get isIdle() {
      return waiting.length === 0 && !flushing;
    },
    get written() {
      return written;
    },
    get trouble() {
      return trouble;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      clearTimeout(timer);
      room.resolve();
      await flushing;
    },
  };
}
