/**
 * An API server as a webhook knows it: HTTP/1.1 on kept connections of TLS 1.3. It speaks no more of HTTP than it needs:
 * a client that costs as much as the server would measure itself, for both share the processors of this machine.
 */
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";

/** One API server does not ask more at once for long. */
const connections = 32;

export interface Caller {
  /** Resolves when the whole answer is there. Raises where it is not 200. */
  post(path: string, body: string): Promise<void>;
}

export async function openCaller(port: number): Promise<Caller> {
  // A test of the load, not of the certificate.
  const options = { host: "127.0.0.1", port, minVersion: "TLSv1.3", rejectUnauthorized: false } as const;
  const free = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(options);
      await once(socket, "secureConnect");
      return new Line(socket.setNoDelay(true));
    }),
  );
  const waiting: ((line: Line) => void)[] = [];
  return {
    async post(path, body) {
      const line = free.pop() ?? (await new Promise<Line>((resolve) => waiting.push(resolve)));
      const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n`;
      await line.ask(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      const next = waiting.shift();
      if (next) next(line);
      else free.push(line);
    },
  };
}

/** A connection; one request at a time is under way on it. */
class Line {
  readonly #socket: TLSSocket;
  #answer = "";
  #asked: PromiseWithResolvers<void> | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setEncoding("latin1").on("data", (text: string) => this.#take(text));
    socket.on("close", () => this.#asked?.reject(new Error("the server closed the connection")));
    socket.on("error", (error) => this.#asked?.reject(error));
  }

  async ask(request: string): Promise<void> {
    this.#answer = "";
    this.#asked = Promise.withResolvers();
    this.#socket.write(request);
    return this.#asked.promise;
  }

  #take(text: string): void {
    this.#answer += text;
    const end = this.#answer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#answer)?.[1] ?? Number.NaN);
    if (this.#answer.length < end + 4 + length) return;
    if (this.#answer.startsWith("HTTP/1.1 200 ")) this.#asked?.resolve();
    else this.#asked?.reject(new Error(this.#answer.slice(0, 200)));
  }
}
