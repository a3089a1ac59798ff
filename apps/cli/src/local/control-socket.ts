import { chmod, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { BulwarkError, systemCode } from "@bulwark/model";

/**
 * What only somebody with access to the data folder may ask of a running server: links and tokens that let others in.
 * A unix socket of mode 0600 in that folder; being able to open it is the proof.
 */
export interface Control {
  createLoginLink(): Promise<string>;
  createAgentToken(node: string): Promise<string>;
}

class ControlError extends BulwarkError<"not-running" | "refused"> {}

export async function openControlSocket(data: string, control: Control): Promise<AsyncDisposable> {
  const path = socketPath(data);
  await rm(path, { force: true });
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? "/", "http://control");
    answer(control, url).then(
      (text) => outgoing.writeHead(text === undefined ? 404 : 200).end(text),
      () => outgoing.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  await chmod(path, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
      await rm(path, { force: true });
    },
  };
}

async function answer(control: Control, url: URL): Promise<string | undefined> {
  if (url.pathname === "/login-link") return control.createLoginLink();
  const node = url.searchParams.get("node");
  if (url.pathname === "/agent-token" && node) return control.createAgentToken(node);
  return undefined;
}

/** Asks the server that runs on this data folder. Raises `ControlError` where none does. */
export async function askControlSocket(data: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socketPath(data), path, timeout: 5000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new ControlError("refused", `the server answered ${String(response.statusCode)}`));
      });
    });
    call.on("timeout", () => call.destroy(new Error("no answer within 5 seconds")));
    call.on("error", (error) => reject(explain(data, error)));
    call.end();
  });
}

function explain(data: string, error: Error): ControlError {
  const remedy =
    systemCode(error) === "EACCES"
      ? "run this as the user who runs the server"
      : "start one with bulwark up, or name its folder with --data";
  return new ControlError("not-running", `no server can be reached on the data folder ${data}`, {
    remedy,
    cause: error,
  });
}

function socketPath(data: string): string {
  return join(data, "control.sock");
}
