import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { startCollector } from "@bulwark/agent";
import { readSecret } from "@bulwark/config";
import type { Command } from "../command.ts";
import { takeSecret } from "../local/environment.ts";
import { untilStopped } from "../local/lifetime.ts";
import { configFrom } from "../local/config.ts";
import { configFlags, configUsage, serversFrom, UsageError } from "../local/options.ts";

const usage = `Usage: bulwark cluster --server URL [--server URL…] [OPTION…]

Tells a control plane elsewhere of the objects of the cluster that this runs in, so
that one console shows many clusters. It joins with a token of bulwark join --any
--cluster NAME, the same with which the cluster's agents join, which it reads from
BULWARK_JOIN_TOKEN or from the file agent.joinTokenFile names, and then holds a
certificate of its own. It reads objects and changes none. The cluster that the
control plane runs in needs none of this.

  --server URL       the control plane's agent port, https://HOST:8444; the next one
                     when one is silent
  --cluster NAME     as the control plane calls this cluster
  --kubeconfig FILE  how the API server is reached; the pod's own account by default
${configUsage}`;

const options = {
  ...configFlags,
  server: { type: "string", multiple: true },
  cluster: { type: "string" },
  kubeconfig: { type: "string" },
} as const;

async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options });
  const config = configFrom(values);
  const servers = serversFrom(values.server ?? config.agent.servers);
  const cluster = values.cluster ?? config.agent.kubernetes.cluster;
  if (cluster === "default") {
    throw new UsageError("usage", "--cluster: this cluster needs a name", { remedy: "--cluster east" });
  }
  const kubeconfig = values.kubeconfig ?? config.agent.kubernetes.kubeconfig;
  const given = takeSecret("BULWARK_JOIN_TOKEN");
  await mkdir(config.data, { recursive: true, mode: 0o700 });
  const kubernetes = { ...config.agent.kubernetes, cluster, ...(kubeconfig !== undefined && { kubeconfig }) };
  await using _ = await startCollector({
    config: { ...config, agent: { ...config.agent, kubernetes } },
    servers,
    // The file is read each time: whoever renews it need not start the collector again.
    joinToken: async () => given ?? readSecret("BULWARK_JOIN_TOKEN", config.agent.joinTokenFile),
  });
  await untilStopped();
  return 0;
}

export const clusterCommand: Command = {
  name: "cluster",
  summary: "the objects of a cluster elsewhere, for a control plane",
  usage,
  run,
};
