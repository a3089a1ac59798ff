/** `npm run cluster -- up|down|status|load IMAGE…|kubectl …|helm …|build`: a real Kubernetes for trying things by hand. */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { clusterNames, openCluster, startCluster, type Cluster } from "./cluster.ts";
import { buildPrograms } from "./programs.ts";

const usage = `npm run cluster -- COMMAND [--name NAME]

  up              start a control plane and two nodes (--nodes N for more)
  down            take it down, with all that it made (--all: every cluster on this machine)
  status          what runs, and where its kubeconfig is
  load FILE…      import archives of images (OCI or docker save) into every node
  kubectl ARG…    kubectl on it; helm ARG… likewise
  build           build its programs and start nothing
`;

const [command = "", ...rest] = process.argv.slice(2);
const passes = command === "kubectl" || command === "helm";
const { values, positionals } = parseArgs({
  args: passes ? [] : rest,
  options: { name: { type: "string" }, nodes: { type: "string" }, all: { type: "boolean" } },
  allowPositionals: true,
});
const name = values.name ?? process.env["CLUSTER"] ?? "dev";

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});

async function main(): Promise<number> {
  switch (command) {
    case "up": {
      const started = Date.now();
      const cluster = await startCluster({ name, nodes: Number(values.nodes ?? 2), say: console.error });
      console.error(`cluster: ready after ${((Date.now() - started) / 1000).toFixed(0)} s`);
      describe(cluster);
      return 0;
    }
    case "down":
      for (const each of values.all === true ? clusterNames() : [name]) await openCluster(each)?.delete();
      return 0;
    case "status":
      for (const each of clusterNames()) {
        console.log(`${each}:`);
        const cluster = openCluster(each);
        if (cluster) describe(cluster);
      }
      return 0;
    case "load":
      opened().load(...positionals);
      return 0;
    case "kubectl":
      return pass(opened(), opened().programs.kubernetes, ["kubectl", ...rest]);
    case "helm":
      return pass(opened(), opened().programs.helm, rest);
    case "build":
      await buildPrograms();
      return 0;
    default:
      console.error(usage);
      return 2;
  }
}

function opened(): Cluster {
  const cluster = openCluster(name);
  if (!cluster) throw new Error(`there is no cluster ${name}: npm run cluster -- up --name ${name}`);
  return cluster;
}

function describe(cluster: Cluster): void {
  console.log(`  export KUBECONFIG=${cluster.kubeconfig}`);
  console.log(`  registry ${cluster.registry.name} at http://${cluster.registry.address}`);
  console.log(cluster.kubectl("get", "nodes", "-o", "wide").replaceAll(/^/gm, "  ").trimEnd());
}

function pass(cluster: Cluster, program: string, args: string[]): number {
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
  return spawnSync(program, args, { stdio: "inherit", env }).status ?? 1;
}
