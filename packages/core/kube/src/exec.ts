import { WebSocket } from "ws";
import type { Kube } from "./client.ts";
import { KubeError } from "./error.ts";

export interface ExecOptions {
  namespace: string;
  pod: string;
  container?: string;
  command: readonly string[];
  stdin?: string;
  /** Milliseconds; 30,000 unless told. */
  timeout?: number;
  /** Bytes of each stream that are kept; 1 MiB unless told. */
  maxOutput?: number;
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Output was longer than what is kept. */
  readonly truncated: boolean;
}

const protocol = "v5.channel.k8s.io";
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 };

/** Runs a command in a container of a pod. Raises a `KubeError` where it could not be run; its status is a result. */
export async function exec(kube: Kube, options: ExecOptions): Promise<ExecResult> {
  const { namespace, pod, container, command, stdin, timeout = 30_000, maxOutput = 2 ** 20 } = options;
  const what = `exec in ${namespace}/${pod}`;
  const url = new URL(
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec`,
    kube.server,
  );
  url.protocol = url.protocol.replace("http", "ws");
  for (const part of command) url.searchParams.append("command", part);
  if (container !== undefined) url.searchParams.set("container", container);
  for (const name of ["stdout", "stderr", ...(stdin === undefined ? [] : ["stdin"])])
    url.searchParams.set(name, "true");
  const { headers, options: tls } = await kube.transport.tls();
  const socket = new WebSocket(url, protocol, { headers, ...tls, handshakeTimeout: timeout, maxPayload: 2 ** 24 });

  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const sizes = { stdout: 0, stderr: 0 };
  let truncated = false;
  let status: string | undefined;
  const keep = (stream: "stderr" | "stdout", data: Buffer): void => {
    const room = maxOutput - sizes[stream];
    if (data.length > room) truncated = true;
    output[stream].push(data.subarray(0, Math.max(0, room)));
    sizes[stream] += data.length;
  };

  await new Promise<void>((done, fail) => {
    const problem = (message: string, cause?: unknown): void =>
      fail(new KubeError("unreachable", `${what}: ${message}`, { cause }));
    const timer = setTimeout(() => {
      socket.terminate();
      problem(`not done after ${timeout / 1000} s`);
    }, timeout);
    socket.on("open", () => {
      if (stdin === undefined) return;
      socket.send(Buffer.concat([Buffer.of(channel.stdin), Buffer.from(stdin)]));
      socket.send(Buffer.of(channel.close, channel.stdin));
    });
    socket.on("message", (message: Buffer) => {
      const data = message.subarray(1);
      if (message[0] === channel.stdout) keep("stdout", data);
      else if (message[0] === channel.stderr) keep("stderr", data);
      else if (message[0] === channel.error) status = (status ?? "") + data.toString("utf8");
    });
    socket.on("unexpected-response", (_, response) => {
      clearTimeout(timer);
      const code = response.statusCode === 404 ? "not-found" : response.statusCode === 403 ? "forbidden" : "server";
      fail(
        new KubeError(code, `${what}: HTTP status ${response.statusCode ?? 0}`, { status: response.statusCode ?? 0 }),
      );
      socket.terminate();
    });
    socket.on("error", (error) => {
      clearTimeout(timer);
      problem(error.message, error);
    });
    socket.on("close", () => {
      clearTimeout(timer);
      done();
    });
  });
  const text = (stream: "stderr" | "stdout"): string => Buffer.concat(output[stream]).toString("utf8");
  return { code: exitCode(status, what), stdout: text("stdout"), stderr: text("stderr"), truncated };
}

/** Of the status that ends the stream: success, or the exit code among its causes. */
function exitCode(status: string | undefined, what: string): number {
  if (status === undefined) throw new KubeError("unreachable", `${what}: it was cut before the command ended`);
  const { status: word, message, details } = JSON.parse(status) as ExecStatus;
  if (word === "Success") return 0;
  const cause = details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
  if (cause === undefined) throw new KubeError("server", `${what}: ${message ?? "it failed"}`);
  return Number(cause);
}

interface ExecStatus {
  status?: string;
  message?: string;
  details?: { causes?: { reason?: string; message?: string }[] };
}
