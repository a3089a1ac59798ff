import { existsSync } from "node:fs";
import { join } from "node:path";
import { styleText } from "node:util";
import type { Config } from "@bulwark/config";
import { startServer, type RunningServer } from "@bulwark/server";
import { collectProcessMetrics } from "@bulwark/telemetry";
import { openControlSocket } from "./control-socket.ts";
import { version } from "./version.ts";

/** Server and control socket of one data folder. */
export async function startControlPlane(
  config: Config,
  { agents = false }: { agents?: boolean } = {},
): Promise<AsyncDisposable & { server: RunningServer }> {
  const stack = new AsyncDisposableStack();
  collectProcessMetrics();
  try {
    const server = stack.use(await startServer({ config, agents, version: version(), ...consoleFolder() }));
    stack.use(await openControlSocket(config.data, server));
    return { server, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function consoleFolder(): { consoleDir?: string } {
  const folder = join(import.meta.dirname, "../../../console/dist");
  return existsSync(folder) ? { consoleDir: folder } : {};
}

/** What a person sees first: where to go, and a link that lets them in once. */
export async function welcome(server: RunningServer): Promise<string> {
  const agents = server.agentsUrl === null ? "" : `  Agents   ${server.agentsUrl}\n`;
  return `
${styleText("bold", `Bulwark ${version()}`)}

  Console  ${server.url}
${agents}  Log in   ${styleText("cyan", await server.createLoginLink())}
           once, within 15 minutes; another one: bulwark login

`;
}
