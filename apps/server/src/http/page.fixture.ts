import assert from "node:assert/strict";

interface Message {
  id: string;
  event: string;
  data: unknown;
}

export interface Page {
  /** The next message, or undefined at the end of the stream. */
  next(): Promise<Message | undefined>;
  close(): void;
}

/** A page's stream: reads message by message, as a browser's EventSource would. */
export async function openPage(
  server: { url: string },
  headers: Record<string, string>,
  topics?: string,
): Promise<Page> {
  const stop = new AbortController();
  const query = topics === undefined ? "" : `?topics=${topics}`;
  const response = await fetch(`${server.url}/api/v1/stream${query}`, { headers, signal: stop.signal });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";

  async function next(): Promise<Message | undefined> {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end >= 0) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        if (block.startsWith(":")) continue;
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)));
        return { id: fields.id, event: fields.event, data: JSON.parse(fields.data) };
      }
      const { done, value } = await reader.read();
      if (done) return undefined;
      text += value;
    }
  }
  return { next, close: () => stop.abort() };
}
