import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { Command, Io } from "../command.ts";
import { startControlPlane, welcome } from "../local/control-plane.ts";
import { untilStopped } from "../local/lifetime.ts";
import { configFrom } from "../local/config.ts";
import { configFlags, configUsage } from "../local/options.ts";

const usage = `Usage: bulwark serve [OPTION…]

The control plane alone: API, console and jobs. Agents of other machines connect to
port 8444 (server.agents) and join with a token from bulwark join. PostgreSQL instead
of the embedded SQLite by DATABASE_URL, NATS JetStream between replicas by NATS_URL.

${configUsage}`;

async function run(args: string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args, options: configFlags });
  const config = configFrom(values);
  await mkdir(config.data, { recursive: true, mode: 0o700 });
  await using plane = await startControlPlane(config, { agents: true });
  io.stdout.write(await welcome(plane.server));
  await untilStopped();
  return 0;
}

export const serveCommand: Command = { name: "serve", summary: "the control plane alone", usage, run };
