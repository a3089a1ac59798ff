import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { startAgent, type AgentOptions } from "@bulwark/agent";
import { readSecret, type Config } from "@bulwark/config";
import { nodeName } from "@bulwark/model";
import type { Command } from "../command.ts";
import { takeSecret } from "../local/environment.ts";
import { untilStopped } from "../local/lifetime.ts";
import { configFrom } from "../local/config.ts";
import { configFlags, configUsage, serversFrom, UsageError } from "../local/options.ts";
import { version } from "../local/version.ts";

const usage = `Usage: bulwark agent --server URL [--server URL…] [OPTION…]

Watches the containers of this node and sends what it sees to a control plane. It
joins with the token of bulwark join, which it reads from BULWARK_JOIN_TOKEN or from
the file agent.joinTokenFile names, and then holds a certificate of its own. While
the server is away a bounded spool on disk keeps it all.

  --server URL    the control plane's agent port, https://HOST:8444; the next one
                  when one is silent
  --node NAME     name of this node; the host's name by default
  --host          watch the host's own processes too
  --spool BYTES   bound of the spool
${configUsage}`;

const options = {
  ...configFlags,
  server: { type: "string", multiple: true },
  node: { type: "string" },
  host: { type: "boolean" },
  spool: { type: "string" },
} as const;

async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options });
  const config = configFrom(values);
  const token = takeSecret("BULWARK_AGENT_TOKEN");
  // The agent of the server's own machine gets its token from `up`, and may speak to it without TLS.
  const servers = serversFrom(values.server ?? config.agent.servers, token !== undefined);
  const spool = values.spool === undefined ? config.agent.spool : Number(values.spool);
  if (!Number.isSafeInteger(spool) || spool < 1e6) {
    throw new UsageError("usage", `--spool ${values.spool ?? ""}: not a size`, { remedy: "bytes, at least 1000000" });
  }
  const node = values.node ?? config.agent.node ?? hostname();
  const credentials = token === undefined ? credentialsFor(node, config) : { token };
  await mkdir(config.data, { recursive: true, mode: 0o700 });
  await using _ = await startAgent({
    config: { ...config, agent: { ...config.agent, spool, node, host: values.host ?? config.agent.host } },
    servers,
    credentials,
    version: version(),
  });
  await untilStopped();
  return 0;
}

/** Any agent but that of the server's own machine joins, or has joined. */
function credentialsFor(node: string, config: Config): AgentOptions["credentials"] {
  const given = takeSecret("BULWARK_JOIN_TOKEN");
  if (!nodeName.safeParse(node).success) {
    throw new UsageError("usage", `${node} is no name for a node: letters, digits, dots, dashes and underscores`, {
      remedy: "give it one with --node",
    });
  }
  // The file is read each time: whoever renews it need not start the agent again.
  return { joinToken: async () => given ?? readSecret("BULWARK_JOIN_TOKEN", config.agent.joinTokenFile) };
}

export const agentCommand: Command = { name: "agent", summary: "one node", usage, run };
