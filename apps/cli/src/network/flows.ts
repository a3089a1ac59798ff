import { createAggregate, type Edge } from "@bulwark/flow";
import { learn, policiesText, replay, writePolicies } from "@bulwark/learn";
import { loadFiles, problemText, type Cluster } from "@bulwark/netpol";
import type { Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { jsonText } from "@bulwark/model/plain";
import { printable } from "../local/text.ts";
import { runDetect } from "./detect.ts";
import { readAll } from "./read-flows.ts";
import { clusterOf, grainOf, readValues, type Values } from "./values.ts";
import { replayText } from "./replay-text.ts";

/** What is worked out from flows, recorded, of this machine, or kept by a server. */
export const flowVerbs: Readonly<Record<string, (args: string[], io: Io) => Promise<number>>> = {
  generate: runGenerate,
  replay: async (args, io) => (isOfServer(args) ? (await ofServer()).runServerReplay(args, io) : runReplay(args, io)),
  detect: runDetect,
  learn: async (args, io) => (await ofServer()).runLearn(args, io),
  quarantine: async (args, io) => (await import("./quarantine.ts")).runQuarantine(args, io),
  // Loads what the others do not need.
  watch: async (args, io) => (await import("./watch.ts")).runWatch(args, io),
};

async function ofServer(): Promise<typeof import("./stored-flows.ts")> {
  return import("./stored-flows.ts");
}

function isOfServer(args: readonly string[]): boolean {
  return args.some((word) => word === "--server" || word.startsWith("--server="));
}

async function runGenerate(args: string[], io: Io): Promise<number> {
  const values = readValues(args, ["yaml", "json"]);
  const grain = grainOf(values.grain);
  const cluster = clusterOf(values.manifests);
  const { edges, partial } = await edgesOf(values, cluster, io);
  const learned = learn(edges, { grain, pods: cluster.pods, names: values.names });
  const written = writePolicies(learned.candidates, { dns: !values.withoutDns });
  const objects = written.map(({ object }) => object);
  io.stdout.write(
    values.format === "json" ? jsonText({ kind: "List", apiVersion: "v1", items: objects }) : policiesText(written),
  );
  for (const [reason, count] of learned.skipped) io.stderr.write(`not learned: ${count} × ${reason}\n`);
  for (const note of learned.notes) io.stderr.write(`note: ${printable(note)}\n`);
  const from = `${edges.length} ${edges.length === 1 ? "edge" : "edges"}`;
  io.stderr.write(`${written.length} ${written.length === 1 ? "policy" : "policies"} from ${from}\n`);
  return partial ? 3 : 0;
}

async function runReplay(args: string[], io: Io): Promise<number> {
  const values = readValues(args, ["table", "json"]);
  if (values.policies.length === 0) {
    throw new UsageError("usage", "replay needs --policies PATH", {
      remedy: "--policies policies/ --flows flows.json",
    });
  }
  const { cluster, sources, problems } = loadFiles([...values.policies, ...values.manifests]);
  if (cluster.policies.length === 0) {
    throw new UsageError("usage", `${values.policies.join(" ")}: no policy in it`, {
      remedy: "give files or a folder of NetworkPolicy and its kin",
    });
  }
  const [foreign] = problems;
  if (foreign) throw new UsageError("usage", problemText(foreign), { remedy: "leave the object out" });
  const { edges, partial } = await edgesOf(values, cluster, io);
  const result = replay(edges, cluster, { sources, ipBlockMatchesPods: !values.ipBlockSkipsPods });
  for (const problem of result.problems) io.stderr.write(`${problem.severity}: ${printable(problemText(problem))}\n`);
  const { denied, skipped, problems: _, ...counts } = result;
  io.stdout.write(
    values.format === "json"
      ? jsonText({ ...counts, skipped: Object.fromEntries(skipped), denied: denied.map(denialOf) })
      : replayText(result),
  );
  if (denied.length > 0) return 1;
  return partial ? 3 : 0;
}

function denialOf({ edge, side, reason }: ReturnType<typeof replay>["denied"][number]): object {
  const { client, server, port, protocol, connections, first, last } = edge;
  return { client, server, port, protocol, connections, first, last, side, reason };
}

async function edgesOf(values: Values, cluster: Cluster, io: Io): Promise<{ edges: Edge[]; partial: boolean }> {
  const aggregate = createAggregate({ grain: "pod" });
  const { partial } = await readAll(values.flows, cluster, (flow) => aggregate.add(flow), io);
  if (aggregate.lost > 0) io.stderr.write(`error: ${aggregate.lost} flows lost: more edges than there is room for\n`);
  return { edges: [...aggregate.edges()], partial: partial || aggregate.lost > 0 };
}
