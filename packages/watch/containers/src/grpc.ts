import { join } from "node:path";
import type * as Grpc from "@grpc/grpc-js";
import type { Client, Metadata, ServiceClientConstructor } from "@grpc/grpc-js";
import { explain, RuntimeError } from "./error.ts";

const callTimeout = 5000;
/** A list of some ten thousand containers. */
const answerLimit = 64 * 1024 * 1024;

/** A gRPC service over a unix socket, by the names of one of the files in `proto/`. */
export interface Service extends Disposable {
  /** One call, of at most five seconds. Raises `RuntimeError`; `absent` for what the server does not find. */
  call<T>(method: string, request: object, headers?: Record<string, string>): Promise<T>;
  /** A call that answers many times; ends when `signal` aborts. Raises `RuntimeError`. */
  stream<T>(method: string, request: object, headers: Record<string, string>, signal: AbortSignal): AsyncIterable<T>;
}

type Unary = (
  request: object,
  metadata: Metadata,
  options: object,
  done: (error: Error | null, answer: unknown) => void,
) => void;
type Streaming = (request: object, metadata: Metadata) => AsyncIterable<unknown> & { cancel(): void };
type Methods = Client & Record<string, unknown>;

export function openService(socket: string, file: string, name: string): Service {
  let connected: Promise<{ grpc: typeof Grpc; client: Methods }> | undefined;
  const connection = async (): Promise<{ grpc: typeof Grpc; client: Methods }> =>
    (connected ??= connect(socket, file, name));

  return {
    async call<T>(method: string, request: object, headers: Record<string, string> = {}) {
      const { grpc, client } = await connection();
      return new Promise<T>((resolve, reject) => {
        const options = { deadline: Date.now() + callTimeout };
        (client[method] as Unary).call(client, request, metadata(grpc, headers), options, (error, answer) => {
          if (error) reject(explainCall(grpc, socket, error));
          else resolve(answer as T);
        });
      });
    },
    async *stream<T>(method: string, request: object, headers: Record<string, string>, signal: AbortSignal) {
      const { grpc, client } = await connection();
      const answers = (client[method] as Streaming).call(client, request, metadata(grpc, headers));
      const cancel = (): void => answers.cancel();
      signal.addEventListener("abort", cancel);
      try {
        for await (const answer of answers) yield answer as T;
      } catch (error) {
        if (!signal.aborted) throw explainCall(grpc, socket, error);
      } finally {
        signal.removeEventListener("abort", cancel);
        cancel();
      }
    },
    [Symbol.dispose]: () => void connected?.then(({ client }) => client.close()),
  };
}

/** gRPC takes longer to load than all the rest of a command: only who meets such a socket waits for it. */
async function connect(socket: string, file: string, name: string) {
  const [grpc, { loadSync }] = await Promise.all([import("@grpc/grpc-js"), import("@grpc/proto-loader")]);
  const definition = loadSync(join(import.meta.dirname, "../proto", file), {
    longs: Number,
    enums: String,
    defaults: true,
    keepCase: true,
  });
  const Service = name
    .split(".")
    .reduce((at: unknown, key) => (at as Record<string, unknown>)[key], grpc.loadPackageDefinition(definition));
  const client = new (Service as ServiceClientConstructor)(`unix:${socket}`, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": answerLimit,
    // The authority of a unix socket's path is refused by some servers.
    "grpc.default_authority": "localhost",
    // Channels to one path are shared otherwise, and with them the wait before the next attempt.
    "grpc.use_local_subchannel_pool": 1,
  });
  return { grpc, client: client as Methods };
}

function metadata(grpc: typeof Grpc, headers: Record<string, string>): Metadata {
  const result = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) result.set(name, value);
  return result;
}

function explainCall({ status }: typeof Grpc, socket: string, error: unknown): RuntimeError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === status.NOT_FOUND) return new RuntimeError("absent", `${socket}: not found`, { cause: error });
  if (code === status.DEADLINE_EXCEEDED) {
    return new RuntimeError("failed", `${socket}: no answer within ${callTimeout / 1000} seconds`, {
      remedy: "see whether the runtime hangs; it is asked again by itself",
      cause: error,
    });
  }
  const known = explain(socket, error);
  return known.code === "absent" ? new RuntimeError("failed", known.message, { cause: error }) : known;
}
