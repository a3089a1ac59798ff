import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { explain, RuntimeError } from "./error.ts";
import type { Watch } from "./registry.ts";
import { within } from "./wait.ts";

const callTimeout = 5000;
const orderTimeout = 30_000;
const answerLimit = 16 * 1024 * 1024;
const lineLimit = 1024 * 1024;
const reasonLimit = 4096;

/** JSON of an HTTP API on a unix socket, within five seconds. Raises `RuntimeError`; `absent` for status 404. */
export async function getJson<T>(socket: string, path: string, schema: z.ZodType<T>): Promise<T> {
  const stopping = new AbortController();
  try {
    const text = await within(callTimeout, `${socket}${path}`, read(socket, path, stopping.signal));
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new RuntimeError("failed", `${socket}${path}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`, {
      remedy: "this version of the runtime is not known; report it",
    });
  } catch (error) {
    throw explain(socket, error);
  } finally {
    stopping.abort();
  }
}

/** A call that changes something, within half a minute: a container has ten seconds to stop. Raises `RuntimeError`. */
export async function post(socket: string, path: string): Promise<void> {
  const stopping = new AbortController();
  try {
    const response = await within(orderTimeout, `${socket}${path}`, open(socket, path, stopping.signal, "POST"));
    response.resume();
  } catch (error) {
    throw explain(socket, error);
  } finally {
    stopping.abort();
  }
}

async function read(socket: string, path: string, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of (await open(socket, path, signal)) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > answerLimit) throw new RuntimeError("failed", `${socket}${path}: an answer of more than 16 MB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** An answer that never ends, line by line, until it is disposed of. Raises `RuntimeError` when it does not begin. */
export async function watchLines(socket: string, path: string, line: (text: string) => void): Promise<Watch> {
  const stopping = new AbortController();
  let response: IncomingMessage;
  try {
    response = await within(callTimeout, `${socket}${path}`, open(socket, path, stopping.signal));
  } catch (error) {
    stopping.abort();
    throw explain(socket, error);
  }
  const ended = (async () => {
    let rest = "";
    for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const text of lines) line(text);
      if (rest.length > lineLimit) throw new RuntimeError("failed", `${socket}${path}: a line of more than 1 MB`);
    }
  })();
  return {
    ended,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await ended.catch(() => undefined);
    },
  };
}

const done = new Set([200, 204, 304]);

async function open(socket: string, path: string, signal: AbortSignal, method = "GET"): Promise<IncomingMessage> {
  // With it comes all of fetch: only who meets such a socket waits for that.
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const call = request(
      { method, socketPath: socket, path, signal, agent: false, headers: { host: "localhost" } },
      (response) => {
        if (done.has(response.statusCode ?? 0)) return resolve(response);
        const code = response.statusCode === 404 ? "absent" : response.statusCode === 403 ? "denied" : "failed";
        const status = `status ${String(response.statusCode)}`;
        const refuse = (said: string): void => reject(new RuntimeError(code, `${socket}${path}: ${said}`));
        return void reasonOf(response).then(
          (reason) => refuse(reason === "" ? status : `${status}, ${reason}`),
          () => refuse(status),
        );
      },
    );
    call.on("error", reject);
    call.end();
  });
}

/** What the API says of a refusal (`{"message": …}`), or nothing. */
async function reasonOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > reasonLimit) return "";
  }
  const told: unknown = JSON.parse(text);
  return typeof told === "object" && told !== null && "message" in told ? String(told.message) : "";
}
