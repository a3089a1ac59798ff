import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, routes, type Client } from "@bulwark/contract";
import { eventually } from "@bulwark/testkit";

/** The command, as a person calls it. */
export const bulwark = join(import.meta.dirname, "../bin/bulwark");

/** A `bulwark` that runs as a person would run it, on a data folder of its own. */
export interface Product extends AsyncDisposable {
  readonly url: string;
  /** Where agents of other machines connect; empty where they cannot. */
  readonly agentsUrl: string;
  readonly data: string;
  readonly process: ChildProcess;
  /** All that it printed. */
  output(): string;
  /** A new one-time link. */
  loginLink(): string;
  /** The API, logged in. */
  api(): Promise<Client>;
}

export interface ProductOptions {
  command?: "up" | "demo" | "serve";
  data?: string;
  /** Lines of `bulwark.yaml`; runtimes of the machine are not looked at unless they are named here. */
  config?: string;
  port?: number;
  /** Of the agents' listener. */
  agentsPort?: number;
  env?: NodeJS.ProcessEnv;
}

const noRuntimes = "agent:\n  runtimes: { containerd: [], docker: [], cri-o: [], podman: [], runc: [], crun: [] }\n";

export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const { command = "up", config = noRuntimes, port = 0 } = options;
  const folder = mkdtempSync(join(tmpdir(), "bulwark-e2e-"));
  const data = options.data ?? join(folder, "data");
  const file = join(folder, "bulwark.yaml");
  const { agentsPort } = options;
  writeFileSync(file, agentsPort === undefined ? config : `${config}server: { agents: { port: ${agentsPort} } }\n`);
  const flags =
    command === "demo" ? ["--port", String(port)] : ["--config", file, "--data", data, "--port", String(port)];
  const child = spawn(bulwark, [command, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", BULWARK_LOG: "warn", ...options.env },
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));

  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await ended;
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    const url = await eventually(
      "the address is printed",
      () => {
        if (child.exitCode !== null) throw new Error(text);
        return /Console {2}(\S+)/.exec(text)?.[1];
      },
      // A machine that is busy with other tests takes long to compile everything.
      120_000,
    );
    const loginLink = (): string => /Log in {3}(\S+)/.exec(text)?.[1] ?? "";
    return {
      url,
      agentsUrl: /Agents {3}(\S+)/.exec(text)?.[1] ?? "",
      data,
      process: child,
      output: () => text,
      loginLink,
      api: async () => login(url, loginLink()),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw new Error(`bulwark ${command} did not start: ${text.slice(-3000)}`, { cause: error });
  }
}

/** The API, for who has the link. */
export async function login(url: string, link: string): Promise<Client> {
  const headers = await openSession(url, link);
  return createClient(routes, { base: url, headers: () => headers });
}

/** Trades a link for a session, as the login page does: the headers of whoever has it. */
export async function openSession(url: string, link: string): Promise<{ cookie: string; "x-csrf-token": string }> {
  const token = new URL(link).hash.slice("#token=".length);
  const response = await fetch(`${url}/api/v1/session/link`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (!response.ok) throw new Error(`the link was refused: ${await response.text()}`);
  const { csrf } = (await response.json()) as { csrf: string };
  const cookie = response.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");
  return { cookie, "x-csrf-token": csrf };
}

/** Ends a `bulwark` that a test has started itself, and waits for it. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}
