import { parseArgs } from "node:util";
import type { Command, Io } from "../command.ts";
import { askControlSocket } from "../local/control-socket.ts";
import { configFrom } from "../local/config.ts";
import { configFlags, configUsage, UsageError } from "../local/options.ts";

const usage = `Usage: bulwark join NODE [OPTION…]
       bulwark join --any [OPTION…]

Prints a token with which the agent of another machine joins the server that runs on
this machine's data folder (bulwark serve, or server.agents set). On that machine:

  BULWARK_JOIN_TOKEN=… bulwark agent --server https://HOST:8444 --node NODE

The token tells the agent which server is the right one, and the server that the agent
may come in; the agent trades it for a client certificate of its own, which it renews
by itself. A token for a NODE works once, and takes the node over from the agent it
had. One for any node works for every node that has no agent, until its time is over.

  --any           for any node: many machines with one token
  --cluster NAME  what the nodes belong to; default
  --hours N       how long the token is good for; 24
${configUsage}`;

const options = {
  ...configFlags,
  any: { type: "boolean" },
  cluster: { type: "string" },
  hours: { type: "string" },
} as const;

async function run(args: string[], { stdout }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [node, ...more] = positionals;
  if (more.length > 0 || (node === undefined) !== (values.any === true)) {
    throw new UsageError("usage", "name one node, or say --any", { remedy: "bulwark join NODE" });
  }
  const hours = Number(values.hours ?? 24);
  if (!Number.isInteger(hours) || hours < 1 || hours > 8760) {
    throw new UsageError("usage", `--hours ${values.hours ?? ""}: not hours`, { remedy: "1 to 8760" });
  }
  const query = new URLSearchParams({ cluster: values.cluster ?? "default", hours: String(hours) });
  if (node !== undefined) query.set("node", node);
  stdout.write(`${await askControlSocket(configFrom(values).data, `/join-token?${query.toString()}`)}\n`);
  return 0;
}

export const joinCommand: Command = { name: "join", summary: "a token for the agent of another machine", usage, run };
