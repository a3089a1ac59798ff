import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "@bulwark/config";
import { createClient, routes, type Client } from "@bulwark/contract";
import { splitNodeId, type AgentRecord } from "@bulwark/model";
import { startServer, type RunningServer } from "@bulwark/server";
import { createLogger } from "@bulwark/telemetry";

/** The console as `npm run build --workspace @bulwark/console` made it. */
export const consoleDir = join(import.meta.dirname, "../../apps/console/dist");
export const isBuilt = existsSync(join(consoleDir, "index.html"));

export interface World extends AsyncDisposable {
  server: RunningServer;
  /** Sends records as the agent of `node` does. */
  /** As the agent of a node says it; of `east/node-a` where its cluster is not `default`. */
  send: (node: string, records: AgentRecord[]) => Promise<void>;
}

/**
 * A real server with the built console and an empty database in a folder of its own. `cluster` is the address of an API
 * server that it reads, as the cluster `east`.
 */
export async function startWorld(port = 0, cluster?: string): Promise<World> {
  const data = await mkdtemp(join(tmpdir(), "bulwark-console-"));
  const clusters = cluster === undefined ? [] : [{ name: "east", kubeconfig: await kubeconfigOf(cluster, data) }];
  const yaml = `server: { port: ${port}, kubernetes: { clusters: ${JSON.stringify(clusters)} } }`;
  const config = { ...parseConfig(yaml, "e2e.yaml"), data };
  const logger = createLogger("e2e");
  logger.level = "silent";
  // The samples' clusters are in no configuration: what policies say of them would be forgotten.
  const limits = { surveyFirst: 2 ** 31 - 1 };
  const server = await startServer({ config, version: "0.1.0", consoleDir, logger, agents: true, limits });
  const agents = new Map<string, { client: Client; next: number }>();

  async function send(node: string, records: AgentRecord[]): Promise<void> {
    const agent = agents.get(node) ?? { client: await agentOf(server, node), next: 1 };
    agents.set(node, agent);
    await agent.client.ingest({ body: { node: splitNodeId(node).name, spool: "spool", first: agent.next, records } });
    agent.next += records.length;
  }

  return {
    server,
    send,
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(data, { recursive: true, force: true });
    },
  };
}

async function agentOf(server: RunningServer, node: string): Promise<Client> {
  const authorization = `Bearer ${await server.createAgentToken(node)}`;
  return createClient(routes, { base: server.url, headers: () => ({ authorization }) });
}

async function kubeconfigOf(server: string, folder: string): Promise<string> {
  const file = join(folder, "kubeconfig");
  const one = (value: object) => [{ name: "c", ...value }];
  const text = {
    "current-context": "c",
    contexts: one({ context: { cluster: "c", user: "c" } }),
    clusters: one({ cluster: { server } }),
    users: one({ user: { token: "t" } }),
  };
  await writeFile(file, JSON.stringify(text));
  return file;
}
