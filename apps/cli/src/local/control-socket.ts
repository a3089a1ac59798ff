import { chmod, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { BulwarkError, errorText, systemCode } from "@bulwark/model/plain";

/**
 * What only somebody with access to the data folder may ask of a running server: links and tokens that let others in.
 * A unix socket of mode 0600 in that folder; being able to open it is the proof.
 */
export interface Control {
  createLoginLink(): Promise<string>;
  createJoinToken(options: { node?: string; cluster: string; hours: number }): Promise<{ token: string }>;
  listAgents(): Promise<object[]>;
  revokeAgent(node: string): Promise<number>;
}

class ControlError extends BulwarkError<"not-running" | "refused"> {}

export async function openControlSocket(data: string, control: Control): Promise<AsyncDisposable> {
  const path = socketPath(data);
  await rm(path, { force: true });
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? "/", "http://control");
    answer(control, url).then(
      (text) => outgoing.writeHead(text === undefined ? 404 : 200).end(text),
      (error: unknown) => outgoing.writeHead(500).end(errorText(error)),
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
  if (url.pathname === "/join-token") {
    const hours = Number(url.searchParams.get("hours"));
    const common = { cluster: url.searchParams.get("cluster") ?? "", hours };
    return (await control.createJoinToken(node === null ? common : { ...common, node })).token;
  }
  if (url.pathname === "/agents") return JSON.stringify(await control.listAgents());
  if (url.pathname === "/agents/revoke" && node) return String(await control.revokeAgent(node));
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
        else reject(new ControlError("refused", text === "" ? `the server answered ${response.statusCode}` : text));
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
