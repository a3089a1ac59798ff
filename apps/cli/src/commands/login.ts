import { parseArgs } from "node:util";
import type { Command, Io } from "../command.ts";
import { askControlSocket } from "../local/control-socket.ts";
import { configFrom } from "../local/config.ts";
import { configFlags, configUsage } from "../local/options.ts";

const usage = `Usage: bulwark login [OPTION…]

Prints a new one-time login link for the console of the server that runs on this
machine's data folder. The link works once, within 15 minutes.

${configUsage}`;

async function run(args: string[], { stdout }: Io): Promise<number> {
  const { values } = parseArgs({ args, options: configFlags });
  stdout.write(`${await askControlSocket(configFrom(values).data, "/login-link")}\n`);
  return 0;
}

export const loginCommand: Command = { name: "login", summary: "a new one-time login link", usage, run };
