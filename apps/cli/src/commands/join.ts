import { parseArgs } from "node:util";
import type { Command, Io } from "../command.ts";
import { askControlSocket } from "../local/control-socket.ts";
import { configFlags, configFrom, configUsage, UsageError } from "../local/options.ts";

const usage = `Usage: bulwark join NODE [OPTION…]

Prints a token with which the agent of the node NODE may send to the server that
runs on this machine's data folder. On that node:

  BULWARK_AGENT_TOKEN=… bulwark agent --server URL --node NODE

${configUsage}`;

async function run(args: string[], { stdout }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options: configFlags, allowPositionals: true });
  const [node, ...more] = positionals;
  if (node === undefined || more.length > 0)
    throw new UsageError("usage", "name one node", { remedy: "bulwark join NODE" });
  stdout.write(`${await askControlSocket(configFrom(values).data, `/agent-token?node=${encodeURIComponent(node)}`)}\n`);
  return 0;
}

export const joinCommand: Command = { name: "join", summary: "a token for the agent of another node", usage, run };
