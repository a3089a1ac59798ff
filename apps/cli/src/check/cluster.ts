import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDatabase } from "@bulwark/advisory/lookup";
import { dataFolder } from "@bulwark/config/data-folder";
import { collectCluster } from "@bulwark/benchmark";
import { connect } from "@bulwark/kube";
import type { Command, Io } from "../command.ts";
import { benchmarkFlags, benchmarkUsage, runBenchmark } from "./benchmark.ts";

const usage = `Usage: bulwark check cluster [OPTION…]

Holds a cluster against benchmarks by what its API tells: objects, roles, the
effective configuration of every kubelet, and the flags of a control plane that runs
as pods. What a provider hides is not applicable; what the account may not read is
unknown.

  --kubeconfig FILE instead of $KUBECONFIG or ~/.kube/config
  --context NAME    instead of the current context
  --name NAME       what the cluster is called in the answer
  --db FILE         the advisory database; advisories.db in the data folder
${benchmarkUsage}
Exit code 1 when something fails, 3 when something could not be looked at.
`;

const options = {
  ...benchmarkFlags,
  kubeconfig: { type: "string" },
  context: { type: "string" },
  name: { type: "string" },
  db: { type: "string" },
  config: { type: "string" },
  data: { type: "string" },
} as const;

async function run(args: string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args, options });
  const { kubeconfig, context } = values;
  return runBenchmark(values, "cluster", io, async () => {
    const collectedAt = Date.now();
    using kube = connect({
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(context !== undefined && { context }),
    });
    const file = values.db ?? join(values.data ?? (await dataFolder(values.config)), "advisories.db");
    using database = existsSync(file) ? openDatabase(file) : undefined;
    const facts = await collectCluster(kube, database);
    return { subject: { kind: "cluster", name: values.name ?? context ?? kube.server }, facts, collectedAt };
  });
}

export const clusterCommand: Command = { name: "cluster", summary: "a cluster against benchmarks", usage, run };
