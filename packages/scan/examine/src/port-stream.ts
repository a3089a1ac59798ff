import { once } from "node:events";
import type { MessagePort } from "node:worker_threads";
import { errorText } from "@bulwark/model/plain";

/** Bytes in one message. */
const pieceSize = 1024 * 1024;
/** Messages on their way that nobody has read yet: what bounds memory. */
const window = 4;

type Ask = { ask: "open" | "more" };
type Tell = { piece: Uint8Array } | { end: true } | { error: string };

/**
 * Gives a stream to another thread by a port, anew each time that it asks, piece by piece as it reads them. `passed` hears
 * of the bytes that went.
 */
export function servePort(
  port: MessagePort,
  read: () => Promise<AsyncIterable<Uint8Array>>,
  passed: (bytes: number) => void,
): void {
  /** `round` goes up with every asking, so that an older one ends; `credit` is what may yet be sent. */
  const flow = { round: 0, credit: 0, more: () => {} };
  port.on("message", ({ ask }: Ask) => {
    if (ask === "open") {
      flow.round++;
      flow.credit = window;
      void send(flow.round);
    } else flow.credit++;
    flow.more();
  });
  port.on("close", () => {
    flow.round = -1;
    flow.more();
  });

  async function send(round: number): Promise<void> {
    const tell = (message: Tell, transfer: ArrayBuffer[] = []): void => {
      if (flow.round === round) port.postMessage(message, transfer);
    };
    try {
      for await (const piece of inPieces(await read())) {
        while (flow.credit === 0 && flow.round === round) await new Promise<void>((resolve) => (flow.more = resolve));
        if (flow.round !== round) return;
        flow.credit--;
        passed(piece.length);
        tell({ piece }, [piece.buffer]);
      }
      tell({ end: true });
    } catch (error) {
      tell({ error: errorText(error) });
    }
  }
}

/** Reads the stream at the other end of the port from its beginning. */
export async function* readPort(port: MessagePort): AsyncGenerator<Uint8Array> {
  const waiting: Tell[] = [];
  const take = (message: Tell): void => void waiting.push(message);
  port.on("message", take);
  try {
    port.postMessage({ ask: "open" } satisfies Ask);
    for (;;) {
      while (waiting.length === 0) await once(port, "message");
      const next = waiting.shift();
      if (!next || "end" in next) return;
      if ("error" in next) throw new Error(next.error);
      yield next.piece;
      port.postMessage({ ask: "more" } satisfies Ask);
    }
  } finally {
    port.off("message", take);
  }
}

/** Pieces of one size in memory of their own, which can be given away. */
async function* inPieces(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let piece = new Uint8Array(pieceSize);
  let filled = 0;
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + pieceSize - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < pieceSize) continue;
      yield piece;
      piece = new Uint8Array(pieceSize);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.slice(0, filled);
}
