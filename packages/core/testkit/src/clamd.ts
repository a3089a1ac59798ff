import { createServer, type Server } from "node:net";

/** How a clamd of a test answers what it was sent. Undefined: not at all. */
type Verdict = (content: Buffer) => string | undefined;

export interface FakeClamd extends AsyncDisposable {
  /** Contents that it was sent whole. */
  readonly seen: Buffer[];
}

/** A daemon at a socket that speaks clamd(8)'s `VERSION` and `INSTREAM`, and hangs up above `limit` as clamd does. */
export async function fakeClamd(socket: string, verdict: Verdict, limit = 1e6): Promise<FakeClamd> {
  const seen: Buffer[] = [];
  const server: Server = createServer((line) => {
    let data = Buffer.alloc(0);
    line.on("error", () => undefined);
    line.on("data", (part: Buffer) => {
      data = Buffer.concat([data, part]);
      if (data.equals(Buffer.from("zVERSION\0"))) line.end("ClamAV 1.4.3/27500/Mon May 19 08:24:52 2025\0");
      if (!data.subarray(0, 10).equals(Buffer.from("zINSTREAM\0"))) return;
      const content = contentOf(data.subarray(10));
      if (data.length > limit) line.end("INSTREAM size limit exceeded. ERROR\0");
      else if (content) {
        seen.push(content);
        const answer = verdict(content);
        if (answer !== undefined) line.end(`${answer}\0`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    seen,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Undefined until the piece of no length has come. */
function contentOf(stream: Buffer): Buffer | undefined {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 4 <= stream.length;) {
    const length = stream.readUInt32BE(at);
    if (length === 0) return Buffer.concat(pieces);
    pieces.push(stream.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return undefined;
}
