import { parseArgs } from "node:util";
import type { Command, Io } from "../command.ts";
import { askControlSocket } from "../local/control-socket.ts";
import { configFrom } from "../local/config.ts";
import { configFlags, configUsage, UsageError } from "../local/options.ts";
import { fit, printable } from "../local/text.ts";

const usage = `Usage: bulwark agents list [OPTION…]
       bulwark agents revoke NODE [OPTION…]

Agents of other machines that have joined the server of this machine's data folder:
their nodes, when they were last heard of, and how long their certificates are good
for. What is revoked is refused from that moment on, at every replica; the node
joins again with a new token of bulwark join NODE. A node of a cluster that is not
called default is named with its cluster: bulwark agents revoke east/worker-1.

  --format json   for programs
${configUsage}`;

const options = { ...configFlags, format: { type: "string" } } as const;

/** As the control socket tells it. */
interface Listed {
  node: string;
  cluster: string;
  expiresAt: number;
  revokedAt: number | null;
  seenAt: number | null;
  address: string;
}

async function run(args: string[], { stdout }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const { data } = configFrom(values);
  const [word, node, ...more] = positionals;
  if (word === "list" && node === undefined) {
    const text = await askControlSocket(data, "/agents");
    if (values.format === "json") stdout.write(`${text}\n`);
    else stdout.write(table(JSON.parse(text) as Listed[]));
    return 0;
  }
  if (word === "revoke" && node !== undefined && more.length === 0) {
    const revoked = Number(await askControlSocket(data, `/agents/revoke?node=${encodeURIComponent(node)}`));
    if (revoked === 0) {
      throw new UsageError("usage", `${node} has no agent with a good certificate`, { remedy: "bulwark agents list" });
    }
    stdout.write(`${printable(node)} is refused from now on\n`);
    return 0;
  }
  throw new UsageError("usage", "say list, or revoke and a node", { remedy: "bulwark agents --help" });
}

function table(agents: Listed[]): string {
  if (agents.length === 0) return "No agent has joined. bulwark join NODE makes a token for one.\n";
  const now = Date.now();
  const rows = agents.map(({ node, cluster, expiresAt, revokedAt, seenAt, address }) => {
    const state = revokedAt === null ? `good for ${ago(expiresAt - now)}` : `revoked ${ago(now - revokedAt)} ago`;
    const seen = seenAt === null ? "never" : `${ago(now - seenAt)} ago`;
    return `${fit(node, 32)} ${fit(cluster, 16)} ${fit(state, 22)} ${fit(seen, 14)} ${printable(address)}\n`;
  });
  const head = `${"NODE".padEnd(32)} ${"CLUSTER".padEnd(16)} ${"CERTIFICATE".padEnd(22)} ${"SEEN".padEnd(14)} ADDRESS\n`;
  return head + rows.join("");
}

function ago(milliseconds: number): string {
  const minutes = Math.max(0, Math.round(milliseconds / 60_000));
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

export const agentsCommand: Command = { name: "agents", summary: "agents of other machines", usage, run };
