import { spawn, type ChildProcess } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs, styleText } from "node:util";
import type { Config } from "@bulwark/config";
import { nodeIdOf } from "@bulwark/model";
import { createLogger } from "@bulwark/telemetry";
import type { RunningServer } from "@bulwark/server";
import type { Command, Io } from "../command.ts";
import { untilStopped } from "../local/lifetime.ts";
import { configFrom } from "../local/config.ts";
import { configFlags, configUsage } from "../local/options.ts";
import { startControlPlane, welcome } from "../local/control-plane.ts";
import { printable } from "../local/text.ts";

const usage = `Usage: bulwark up [OPTION…]

Guards this machine: control plane, console and agent. Prints the address and a
one-time login link. Without root, BPF or a container runtime it starts all the
same and says what is off and what would turn it on.

${configUsage}`;

async function run(args: string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args, options: configFlags });
  const config = configFrom(values);
  await mkdir(config.data, { recursive: true, mode: 0o700 });

  await using plane = await startControlPlane(config);
  await using _ = await keepAgentRunning(config, plane.server, values.config);
  io.stdout.write(await welcome(plane.server));
  const ending = new AbortController();
  const told = whatIsOff(plane.server, ownNode(config).id, ending.signal).then((text) => io.stdout.write(text));
  await untilStopped();
  ending.abort();
  await told.catch(() => undefined);
  return 0;
}

/** This machine as its agent names it, and as the server does. */
function ownNode({ agent }: Config): { name: string; id: string } {
  const name = agent.node ?? hostname();
  return { name, id: nodeIdOf(agent.kubernetes.cluster, name) };
}

/** Milliseconds in which the agent has usually told how its parts are. */
const healthPatience = 30_000;

/** What does not work here, why, and what would turn it on: as the health page says it. */
async function whatIsOff(server: RunningServer, node: string, ending: AbortSignal): Promise<string> {
  const end = Date.now() + healthPatience;
  let components = await server.store.health.list();
  while (Date.now() < end && !components.some((item) => item.node === node && item.id === "sensor")) {
    await pause(100, undefined, { signal: ending });
    components = await server.store.health.list();
  }
  const off = components.filter(({ state }) => state === "off" || state === "failed");
  const lines = off.map(({ id, state, reason, remedy }) => {
    const first = `  ${styleText("yellow", state.padEnd(6))} ${printable(id).padEnd(18)} ${printable(reason)}\n`;
    return remedy === "" ? first : `${first}${" ".repeat(28)}${styleText("dim", `→ ${printable(remedy)}`)}\n`;
  });
  return lines.length === 0 ? "" : `${lines.join("")}\n`;
}

/** The agent is a process of its own: its death costs nothing but a restart, and its spool is on disk. */
async function keepAgentRunning(
  config: Config,
  server: RunningServer,
  file: string | undefined,
): Promise<AsyncDisposable> {
  const log = createLogger("up");
  const { name, id } = ownNode(config);
  const token = await server.createAgentToken(id);
  let stopping = false;
  let child: ChildProcess | undefined;
  let startedAt = 0;
  let delay = 1000;
  let timer: NodeJS.Timeout | undefined;

  function start(): void {
    startedAt = Date.now();
    child = spawn(
      process.execPath,
      [
        ...process.execArgv,
        join(import.meta.dirname, "../main.ts"),
        "agent",
        ...agentFlags(config, server.url, name, file),
      ],
      {
        env: { ...process.env, BULWARK_AGENT_TOKEN: token },
        // The channel closes when this process dies, however it dies: the agent then ends itself.
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      },
    );
    child.once("exit", (code, signal) => {
      if (stopping) return;
      delay = Date.now() - startedAt > 60_000 ? 1000 : Math.min(delay * 2, 60_000);
      log.error({ code, signal, restartInMs: delay }, "the agent ended; it is started again");
      timer = setTimeout(start, delay);
    });
  }

  start();
  return {
    async [Symbol.asyncDispose]() {
      stopping = true;
      clearTimeout(timer);
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child?.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function agentFlags(config: Config, url: string, node: string, file: string | undefined): string[] {
  const flags = ["--server", url, "--node", node, "--data", config.data];
  return file === undefined ? flags : [...flags, "--config", file];
}

export const upCommand: Command = { name: "up", summary: "guard this machine", usage, run };
