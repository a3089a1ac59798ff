import { parseArgs } from "node:util";
import {
  createAggregate,
  createDirectory,
  ownerName,
  readFlows,
  type Edge,
  type Flow,
  type Grain,
} from "@bulwark/flow";
import type { Directory, ReadSummary } from "@bulwark/flow";
import { learn, policiesText, replay, writePolicies } from "@bulwark/learn";
import { loadFiles, problemText, type Cluster } from "@bulwark/netpol";
import type { Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";
import { jsonText } from "./json.ts";
import { replayText } from "./replay-text.ts";

const options = {
  flows: { type: "string", multiple: true },
  manifests: { type: "string", multiple: true },
  policies: { type: "string", multiple: true },
  grain: { type: "string" },
  names: { type: "boolean" },
  "without-dns": { type: "boolean" },
  "ip-block-skips-pods": { type: "boolean" },
  format: { type: "string" },
} as const;

const lists = ["flows", "manifests", "policies"] as const;
type Values = ReturnType<typeof readValues>;

/** `generate` and `replay`: what is worked out from recorded flows. */
export const flowVerbs: Readonly<Record<string, (args: string[], io: Io) => Promise<number>>> = {
  generate: runGenerate,
  replay: runReplay,
};

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

/** All names after `--flows`, `--manifests` or `--policies` belong to it, so that a shell can expand a pattern there. */
function readValues(
  args: string[],
  formats: readonly string[],
): {
  readonly flows: readonly string[];
  readonly manifests: readonly string[];
  readonly policies: readonly string[];
  readonly grain: string;
  readonly names: boolean;
  readonly withoutDns: boolean;
  readonly ipBlockSkipsPods: boolean;
  readonly format: string;
} {
  const { values, tokens } = parseArgs({ args, options, allowPositionals: true, tokens: true });
  const files: Record<(typeof lists)[number], string[]> = { flows: [], manifests: [], policies: [] };
  let list: string[] | undefined;
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (!list)
        throw new UsageError("usage", `${token.value}: what is it?`, {
          remedy: "--flows FILE…; bulwark network --help",
        });
      list.push(token.value);
    }
    const name = token.kind === "option" ? lists.find((name) => name === token.name) : undefined;
    if (token.kind === "option") list = name === undefined ? undefined : files[name];
    if (token.kind === "option" && name !== undefined && token.value !== undefined) files[name].push(token.value);
  }
  if (files.flows.length === 0) {
    throw new UsageError("usage", "needs --flows FILE", { remedy: "logs of Hubble, Calico, Envoy, Suricata or Zeek" });
  }
  const format = values.format ?? formats[0] ?? "";
  if (!formats.includes(format)) {
    throw new UsageError("usage", `--format ${format}: no such format`, { remedy: formats.join(" or ") });
  }
  return {
    ...files,
    grain: values.grain ?? "workload",
    names: values.names === true,
    withoutDns: values["without-dns"] === true,
    ipBlockSkipsPods: values["ip-block-skips-pods"] === true,
    format,
  };
}

function grainOf(text: string): Grain {
  if (text === "namespace" || text === "workload" || text === "pod") return text;
  throw new UsageError("usage", `--grain ${text}: no such grain`, { remedy: "namespace, workload or pod" });
}

function clusterOf(manifests: readonly string[]): Cluster {
  return manifests.length === 0 ? { namespaces: [], pods: [], policies: [] } : loadFiles(manifests).cluster;
}

async function edgesOf(values: Values, cluster: Cluster, io: Io): Promise<{ edges: Edge[]; partial: boolean }> {
  const aggregate = createAggregate({ grain: "pod" });
  const { partial } = await readAll(values.flows, cluster, (flow) => aggregate.add(flow), io);
  if (aggregate.lost > 0) io.stderr.write(`error: ${aggregate.lost} flows lost: more edges than there is room for\n`);
  return { edges: [...aggregate.edges()], partial: partial || aggregate.lost > 0 };
}

/** Reads logs, says what could not be read; with nothing read at all the call is wrong. */
async function readAll(
  files: readonly string[],
  cluster: Cluster,
  emit: (flow: Flow) => void,
  io: Io,
): Promise<{ summary: ReadSummary; partial: boolean }> {
  const summary = await readFlows(files, emit, directoryOf(cluster));
  const { broken, examples, failed } = summary;
  for (const text of failed) io.stderr.write(`error: ${printable(text)}\n`);
  for (const { file, line, reason } of examples)
    io.stderr.write(`broken: ${printable(`${file}:${line}: ${reason}`)}\n`);
  if (broken > examples.length) io.stderr.write(`broken: ${broken - examples.length} lines more\n`);
  if (summary.flows === 0) {
    throw new UsageError("usage", `${files.join(" ")}: no flow in ${summary.lines} lines`, {
      remedy: "give logs of Hubble, Calico, Envoy, Suricata or Zeek, one record a line",
    });
  }
  return { summary, partial: broken > 0 || failed.length > 0 };
}

function directoryOf({ pods }: Cluster): Directory {
  const directory = createDirectory();
  for (const { namespace, name, kind = "Pod", labels = {}, ips = [], serviceAccount = null, hostNetwork } of pods) {
    const pod = kind === "Pod" ? name : null;
    const owner = pod === null ? name : ownerName(pod, labels);
    // An address of the node is not the pod's own.
    directory.know(
      { namespace, name: owner, kind: null, pod, labels, serviceAccount, node: null },
      hostNetwork ? [] : ips,
      0,
    );
  }
  return directory;
}
