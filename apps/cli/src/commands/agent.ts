import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { startAgent } from "@bulwark/agent";
import type { Command } from "../command.ts";
import { untilStopped } from "../local/lifetime.ts";
import { configFlags, configFrom, configUsage, UsageError } from "../local/options.ts";
import { version } from "../local/version.ts";

const usage = `Usage: bulwark agent --server URL [OPTION…]

Watches the containers of this node and sends what it sees to a control plane. The
token comes from bulwark join and is read from the environment:
BULWARK_AGENT_TOKEN. While the server is away a bounded spool on disk keeps it all.

  --server URL    the control plane
  --node NAME     name of this node; the host's name by default
  --host          watch the host's own processes too
  --spool BYTES   bound of the spool
${configUsage}`;

const options = {
  ...configFlags,
  server: { type: "string" },
  node: { type: "string" },
  host: { type: "boolean" },
  spool: { type: "string" },
} as const;

async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options });
  const config = configFrom(values);
  const token = process.env["BULWARK_AGENT_TOKEN"];
  delete process.env["BULWARK_AGENT_TOKEN"];
  if (!values.server || !URL.canParse(values.server)) {
    throw new UsageError("usage", "--server: an address is needed", { remedy: "--server http://127.0.0.1:8443" });
  }
  if (!token) {
    throw new UsageError("usage", "BULWARK_AGENT_TOKEN is not set", { remedy: "bulwark join NODE prints one" });
  }
  const spool = values.spool === undefined ? config.agent.spool : Number(values.spool);
  if (!Number.isSafeInteger(spool) || spool < 1e6) {
    throw new UsageError("usage", `--spool ${values.spool ?? ""}: not a size`, { remedy: "bytes, at least 1000000" });
  }
  await mkdir(config.data, { recursive: true, mode: 0o700 });
  await using _ = await startAgent({
    config: {
      ...config,
      agent: {
        ...config.agent,
        spool,
        node: values.node ?? config.agent.node ?? hostname(),
        host: values.host ?? config.agent.host,
      },
    },
    server: values.server,
    token,
    version: version(),
  });
  await untilStopped();
  return 0;
}

export const agentCommand: Command = { name: "agent", summary: "one node", usage, run };
