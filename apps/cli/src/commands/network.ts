import { parseArgs } from "node:util";
import {
  connections,
  createEvaluator,
  diff,
  explain,
  lint,
  loadFiles,
  problemText,
  protocols,
  type ConnectionQuery,
  type Evaluator,
  type Loaded,
} from "@bulwark/netpol";
import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { jsonText } from "@bulwark/model/plain";
import { printable } from "../local/text.ts";
import { flowVerbs } from "../network/flows.ts";
import { connectionLines, differenceText, explanationText, findingText, verdictText } from "../network/print.ts";

const usage = `Usage: bulwark network evaluate FILE… [--from END --to END --port N]
       bulwark network explain FILE… --from END --to END --port N
       bulwark network diff --before FILE… --after FILE… [--fail-on-open]
       bulwark network lint FILE…
       bulwark network generate --flows FILE… [--manifests FILE…] [--grain GRAIN]
       bulwark network replay --policies FILE… --flows FILE… [--manifests FILE…]
       bulwark network detect --flows FILE… [--baseline FILE…] [--list FILE…]
       bulwark network watch [--every SECONDS] [--detect] [--format json]
       bulwark network learn --server URL [--cluster NAME] [--namespace NAME…]
       bulwark network replay --server URL --policies FILE… [--cluster NAME]
       bulwark network quarantine NAMESPACE/NAME --server URL --reason TEXT

What network policies do, worked out from files of Kubernetes objects: who may
connect to whom, why, what a change opens and closes, what is without effect.
Reads NetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy,
ClusterNetworkPolicy, CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy, with
the namespaces, pods, workloads and nodes that they are about. A FILE is YAML or
JSON, a folder of them, or - for standard input.

  --from END, --to END   a pod or workload as NAMESPACE/NAME, or an IP address
  --port N               destination port
  --protocol P           TCP (default), UDP or SCTP
  --ip-block-skips-pods  an ipBlock of a NetworkPolicy matches no pod (Cilium);
                         without, it matches the addresses of pods (Calico,
                         Antrea, OVN-Kubernetes)
  --skip-invalid         go on without policies that are wrong; exit code 3
  --fail-on-open         diff: exit code 1 when the change opens anything
  --format json          for programs

lint ends with exit code 1 when it finds anything.

From recorded flows, in logs of Hubble, Calico, Envoy (Istio), Suricata (eve.json)
and Zeek (conn, dns, ssl; JSON or tab-separated), in any mix, joined by community
id: generate writes the policies that allow what was seen and nothing else;
replay tells what policies would have denied of it; detect finds scans, beacons,
tunnels, exfiltration, miners, calls to metadata services and to the control
plane, weak TLS, and, with --baseline, what is new. replay and detect end with 1
when there is anything, all with 3 when part of the logs could not be read.

  --flows FILE…          logs, - for standard input
  --manifests FILE…      pods and workloads: names and labels for addresses
  --policies FILE…       replay: the policies to try
  --grain GRAIN          generate: a policy for each namespace, workload (the
                         default) or pod
  --names                generate: peers outside by name (CiliumNetworkPolicy)
  --baseline FILE…       detect: logs of ordinary days; what is in them is not new
  --list FILE…           detect: bad addresses, blocks and names, one a line
  --fail-on SEVERITY     detect: exit code 1 from here on: low (default), medium,
                         high
  --without-dns          generate: no opening to the name server but as seen

watch shows the flows of this machine's containers as they happen, counted in the
kernel: both ends, process, port, result, bytes, TLS and its server name, DNS.
Needs root; no server, no network. Ends with 3 when something was not counted.

  --every SECONDS        how often each flow is told; 1, from 0.1 to 3600
  --detect               and what detect would find in them
  --stats                at the end: flows, losses (on standard error)

From a server, whose agents tell of flows: learn is generate, and replay tries a
change of the cluster's policies, over what it keeps; quarantine cuts a workload
from the network, on all nodes and pods that come later too, and lists what is cut
without a name. An API token is in BULWARK_TOKEN, or in --token-file FILE.

  --server URL           the console's address
  --cluster NAME         default, unless told
  --hours N              learn, replay: of the last hours; 24
  --namespace NAME       learn: for pods of these namespaces only
  --minutes N            quarantine: undone by itself after; 60
  --except PEER          quarantine: stays reachable: 10.0.0.5, 10.0.0.0/8:443
  --closed               quarantine: holds also when the node's sensor dies
  --dry-run              quarantine: what would it do? 3 where it could not
  --undo                 quarantine: end it
`;

const options = {
  from: { type: "string" },
  to: { type: "string" },
  port: { type: "string" },
  protocol: { type: "string" },
  before: { type: "string", multiple: true },
  after: { type: "string", multiple: true },
  "fail-on-open": { type: "boolean" },
  "ip-block-skips-pods": { type: "boolean" },
  "skip-invalid": { type: "boolean" },
  format: { type: "string" },
} as const;

interface Call {
  readonly files: readonly string[];
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly query: ConnectionQuery | undefined;
  readonly json: boolean;
  readonly failOnOpen: boolean;
  readonly skipInvalid: boolean;
  readonly ipBlockMatchesPods: boolean;
  readonly io: Io;
}

const verbs: Readonly<Record<string, (call: Call) => number>> = {
  evaluate: runEvaluate,
  explain: runExplain,
  diff: runDiff,
  lint: runLint,
};

async function run(args: string[], io: Io): Promise<number> {
  const [verb = "", ...rest] = args;
  const ofFlows = Object.hasOwn(flowVerbs, verb) ? flowVerbs[verb] : undefined;
  if (ofFlows) return ofFlows(rest, io);
  const act = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!act) {
    throw new UsageError("usage", verb === "" ? "says nothing to do" : `no such thing to do: ${verb}`, {
      remedy:
        "evaluate, explain, diff, lint, generate, replay, detect, watch, learn, quarantine; bulwark network --help",
    });
  }
  return act(readCall(rest, io));
}

function readCall(args: string[], io: Io): Call {
  const { values, tokens } = parseArgs({ args, options, allowPositionals: true, tokens: true });
  const lists: Record<"files" | "before" | "after", string[]> = { files: [], before: [], after: [] };
  // All names after --before or --after are of that side, so that a shell can expand a pattern there.
  let list: string[] = lists.files;
  for (const token of tokens) {
    if (token.kind === "positional") list.push(token.value);
    if (token.kind !== "option") continue;
    if (token.name !== "before" && token.name !== "after") continue;
    list = lists[token.name];
    if (token.value !== undefined) list.push(token.value);
  }
  if (values.format !== undefined && values.format !== "json" && values.format !== "table") {
    throw new UsageError("usage", `--format ${values.format}: no such format`, { remedy: "table or json" });
  }
  return {
    ...lists,
    query: readQuery(values),
    json: values.format === "json",
    failOnOpen: values["fail-on-open"] === true,
    skipInvalid: values["skip-invalid"] === true,
    ipBlockMatchesPods: values["ip-block-skips-pods"] !== true,
    io,
  };
}

interface QueryFlags {
  from?: string | undefined;
  to?: string | undefined;
  port?: string | undefined;
  protocol?: string | undefined;
}

function readQuery({ from, to, port, protocol }: QueryFlags): ConnectionQuery | undefined {
  if ([from, to, port, protocol].every((value) => value === undefined)) return undefined;
  const missing = Object.entries({ "--from": from, "--to": to, "--port": port }).filter(
    ([, value]) => value === undefined,
  );
  if (from === undefined || to === undefined || port === undefined) {
    throw new UsageError("usage", `a connection needs ${missing.map(([flag]) => flag).join(" and ")} too`, {
      remedy: "--from NAMESPACE/NAME --to NAMESPACE/NAME --port 443",
    });
  }
  const number = /^\d{1,5}$/.test(port) ? Number(port) : -1;
  if (number < 0 || number > 65535) {
    throw new UsageError("usage", `--port ${port}: no port number`, { remedy: "a number from 0 to 65535" });
  }
  const known = protocols.find((name) => name === (protocol ?? "TCP").toUpperCase());
  if (!known) {
    throw new UsageError("usage", `--protocol ${protocol ?? ""}: no such protocol`, { remedy: protocols.join(", ") });
  }
  return { from, to, port: number, protocol: known };
}

interface Prepared {
  readonly evaluator: Evaluator;
  /** Something was left out of the answer. */
  readonly partial: boolean;
}

function prepare(call: Call, files: readonly string[], what = "FILE"): Prepared {
  const loaded = load(files, what);
  const { skipInvalid, ipBlockMatchesPods, io } = call;
  const evaluator = createEvaluator(loaded.cluster, {
    sources: loaded.sources,
    ipBlockMatchesPods,
    onProblem: skipInvalid ? "skip" : "refuse",
  });
  const [foreign] = loaded.problems;
  if (foreign && !skipInvalid) {
    throw new UsageError("usage", problemText(foreign), { remedy: "leave the object out, or say --skip-invalid" });
  }
  const problems = [...loaded.problems, ...evaluator.problems];
  for (const problem of problems) io.stderr.write(`${problem.severity}: ${printable(problemText(problem))}\n`);
  return { evaluator, partial: problems.some(({ severity }) => severity === "error") };
}

function load(files: readonly string[], what: string): Loaded {
  if (files.length === 0) {
    throw new UsageError("usage", `needs a ${what}`, { remedy: "bulwark network --help" });
  }
  const loaded = loadFiles(files);
  const { pods, policies } = loaded.cluster;
  if (pods.length + policies.length > 0) return loaded;
  const seen = [...loaded.ignored].map(([kind, count]) => `${count} ${kind}`).join(", ");
  throw new UsageError("usage", `${files.join(" ")}: neither pods nor policies${seen === "" ? "" : `, only ${seen}`}`, {
    remedy: "give what kubectl get pods,deployments,namespaces,networkpolicies -A -o yaml prints",
  });
}

function runEvaluate(call: Call): number {
  const { evaluator, partial } = prepare(call, call.files);
  const { query, json, io } = call;
  if (query) {
    const verdict = evaluator.connection(query);
    io.stdout.write(json ? jsonText({ query, ...verdict }) : verdictText(query, verdict));
  } else {
    const open = connections(evaluator);
    io.stdout.write(json ? jsonText({ open }) : connectionLines(evaluator, open));
  }
  return partial ? 3 : 0;
}

function runExplain(call: Call): number {
  if (!call.query) {
    throw new UsageError("usage", "explain needs --from, --to and --port", { remedy: "bulwark network --help" });
  }
  const { evaluator, partial } = prepare(call, call.files);
  const explanation = explain(evaluator, call.query);
  call.io.stdout.write(call.json ? jsonText(explanation) : explanationText(explanation));
  return partial ? 3 : 0;
}

function runDiff(call: Call): number {
  if (call.files.length > 0) {
    throw new UsageError("usage", `${call.files.join(" ")}: before or after?`, {
      remedy: "--before FILE… --after FILE…",
    });
  }
  const before = prepare(call, call.before, "--before FILE");
  const after = prepare(call, call.after, "--after FILE");
  const difference = diff(before.evaluator, after.evaluator);
  call.io.stdout.write(call.json ? jsonText(difference) : differenceText(difference));
  if (call.failOnOpen && difference.opened.length > 0) return 1;
  return before.partial || after.partial ? 3 : 0;
}

function runLint(call: Call): number {
  const loaded = load(call.files, "FILE");
  const evaluator = createEvaluator(loaded.cluster, {
    sources: loaded.sources,
    ipBlockMatchesPods: call.ipBlockMatchesPods,
    onProblem: "skip",
  });
  const findings = lint(evaluator, loaded.problems);
  call.io.stdout.write(call.json ? jsonText({ findings }) : findingText(findings));
  return findings.length > 0 ? 1 : 0;
}

export const networkCommand: Command = { name: "network", summary: "what network policies do", usage, run };
