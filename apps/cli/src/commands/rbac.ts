import { readFileSync } from "node:fs";
import { parseArgs, styleText } from "node:util";
import { toAuditEvent } from "@bulwark/kube";
import type { AuditRecord } from "@bulwark/model";
import { errorText, severityRank } from "@bulwark/model/plain";
import {
  createGraph,
  dangers,
  parseState,
  propose,
  stateText,
  subjectText,
  techniques,
  unused,
  type Binding,
  type Goal,
  type Grant,
  type Graph,
  type Path,
  type Subject,
} from "@bulwark/rbac";
import { stringify } from "yaml";
import type { Command, Io } from "../command.ts";
import { objectFlags, objectUsage, rbacKinds, readObjects } from "../local/objects.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";

const usage = `Usage: bulwark rbac who-can VERB RESOURCE [-n NAMESPACE] [--name NAME] FILE…
       bulwark rbac matrix SUBJECT FILE…
       bulwark rbac dangers FILE…
       bulwark rbac paths SUBJECT [--to cluster-admin|node] FILE…
       bulwark rbac propose SUBJECT --audit FILE FILE…

Who can do what in a cluster: who may do one thing, what one subject may do, the
grants that are dangerous, every way from a subject, a pod or a node to the
control of the cluster, and the least rights by what the audit log saw.

  RESOURCE           pods, pods/exec, deployments.apps, or a path such as /metrics
  SUBJECT            user:NAME, group:NAME, serviceaccount:NAMESPACE/NAME,
                     pod:NAMESPACE/NAME or node:NAME
  -n NAMESPACE       rights in this namespace; without, rights anywhere
  --name NAME        of one object of this name
  --to GOAL          paths: cluster-admin (default) or node
  --most N           paths: at the most so many; 20
  --audit FILE       propose: the API server's audit log
  --system           dangers: Kubernetes' own bindings too
${objectUsage}  --format json      for programs

A FILE is YAML or JSON, a folder of them, or - for standard input. Ways through
pods and nodes need them among the objects, with namespaces and their labels.
paths and dangers end with exit code 1 when there are any.
`;

const options = {
  ...objectFlags,
  namespace: { type: "string", short: "n" },
  name: { type: "string" },
  to: { type: "string" },
  most: { type: "string" },
  audit: { type: "string" },
  system: { type: "boolean" },
  format: { type: "string" },
} as const;

type Values = ReturnType<typeof parse>["values"];

interface Verb {
  /** Words before the files. */
  words: number;
  run(graph: Graph, words: readonly string[], values: Values, io: Io): number;
}

const verbs: Readonly<Record<string, Verb>> = {
  "who-can": { words: 2, run: whoCan },
  matrix: { words: 1, run: matrix },
  dangers: { words: 0, run: listDangers },
  paths: { words: 1, run: paths },
  propose: { words: 1, run: proposeRoles },
};

async function run(args: string[], io: Io): Promise<number> {
  const [name = "", ...rest] = args;
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  const remedy = "say who-can, matrix, dangers, paths or propose; bulwark rbac --help";
  if (!verb)
    throw new UsageError("usage", name === "" ? "says nothing to do" : `no such thing to do: ${name}`, { remedy });
  const { values, positionals } = parse(rest);
  if (values.format !== undefined && values.format !== "json" && values.format !== "table") {
    throw new UsageError("usage", `--format ${values.format}: no such format`, { remedy: "table or json" });
  }
  const words = positionals.slice(0, verb.words);
  if (words.length < verb.words) {
    throw new UsageError("usage", `${name} needs more words`, { remedy: "bulwark rbac --help" });
  }
  const { objects, missed } = await readObjects(positionals.slice(verb.words), values, rbacKinds, io.stderr);
  const code = verb.run(createGraph(objects), words, values, io);
  return missed > 0 && code === 0 ? 3 : code;
}

function parse(args: string[]) {
  return parseArgs({ args, options, allowPositionals: true });
}

/** `deployments.apps` is a resource of a group; one with a slash in front a path. */
function whoCan(graph: Graph, [verb = "", what = ""]: readonly string[], values: Values, { stdout }: Io): number {
  const [resource = "", ...group] = what.split(".");
  const place = {
    ...(values.namespace !== undefined && { namespace: values.namespace }),
    ...(values.name !== undefined && { name: values.name }),
  };
  const grants = what.startsWith("/")
    ? graph.whoCanReach(verb, what)
    : graph.whoCan({ verb, resource, group: group.join("."), ...place });
  if (values.format === "json") return print(stdout, grants.map(grantJson));
  if (grants.length === 0) stdout.write(`Nobody may ${printable(verb)} ${printable(what)} by any of these objects.\n`);
  for (const grant of grants) stdout.write(`${grantLine(grant)}\n`);
  return 0;
}

function grantLine(grant: Grant): string {
  const where = grant.namespace === null ? "everywhere" : `in ${grant.namespace}`;
  const names = grant.names.length === 0 ? "" : ` named ${grant.names.join(", ")}`;
  return printable(
    `${subjectText(grant.subject).padEnd(44)} ${`${where}${names}`.padEnd(24)} ${bindingText(grant.binding)}`,
  );
}

function bindingText({ namespace, name, role }: Binding): string {
  const binding = namespace === null ? `ClusterRoleBinding ${name}` : `RoleBinding ${namespace}/${name}`;
  return `${binding} → ${role.kind} ${role.name}`;
}

function grantJson({ subject, namespace, names, binding, role, rule }: Grant): unknown {
  return {
    subject,
    namespace,
    names,
    binding: { namespace: binding.namespace, name: binding.name },
    role: { namespace: role.namespace, name: role.name },
    rule,
  };
}

function matrix(graph: Graph, [who = ""]: readonly string[], { format }: Values, { stdout }: Io): number {
  const permissions = graph.permissions(subjectOf(who));
  if (format === "json") {
    const rows = permissions.map(({ namespace, role, binding, through }) => ({
      namespace,
      through,
      binding: binding.name,
      role: role.name,
      rules: role.rules,
    }));
    return print(stdout, rows);
  }
  if (permissions.length === 0) stdout.write(`${printable(who)} has no right by any of these objects.\n`);
  for (const { namespace, role, binding, through } of permissions) {
    const where = namespace === null ? "everywhere" : `in namespace ${namespace}`;
    stdout.write(
      `${styleText("bold", printable(where))}  ${printable(bindingText(binding))} (as ${printable(subjectText(through))})\n`,
    );
    for (const { verbs: may, groups, resources, names, urls } of role.rules) {
      const what =
        urls.length > 0
          ? urls
          : resources.map((one) => (groups.every((group) => group === "") ? one : `${one}.${groups.join("|")}`));
      const only = names.length === 0 ? "" : ` named ${names.join(", ")}`;
      stdout.write(`  ${printable(may.join(",").padEnd(28))} ${printable(what.join(", "))}${printable(only)}\n`);
    }
  }
  return 0;
}

function listDangers(graph: Graph, _: readonly string[], { system, format }: Values, { stdout }: Io): number {
  const found = dangers(graph, { own: system === true }).toSorted(
    (a, b) => severityRank(a.severity) - severityRank(b.severity),
  );
  if (format === "json")
    print(
      stdout,
      found.map(({ binding, ...danger }) => ({
        ...danger,
        binding: { namespace: binding.namespace, name: binding.name },
      })),
    );
  else {
    for (const [title, group] of Map.groupBy(found, (danger) => danger.title)) {
      stdout.write(`${styleText("bold", title)}: ${group[0]?.remedy ?? ""}\n`);
      for (const { severity, subject, namespace, binding } of group) {
        const where = namespace === null ? "everywhere" : `in ${namespace}`;
        stdout.write(
          `  ${severity.padEnd(9)} ${printable(`${subjectText(subject).padEnd(40)} ${where.padEnd(16)} ${bindingText(binding)}`)}\n`,
        );
      }
    }
    stdout.write(found.length === 0 ? "No dangerous grant.\n" : `\n${found.length} dangerous grants.\n`);
  }
  return found.length > 0 ? 1 : 0;
}

function paths(graph: Graph, [who = ""]: readonly string[], values: Values, { stdout }: Io): number {
  const goal = goalOf(values.to);
  const most = Number(values.most ?? 20);
  if (!Number.isInteger(most) || most < 1)
    throw new UsageError("usage", `--most ${values.most}: not a number`, { remedy: "1 or more" });
  const from = parseState(who);
  const found = graph.paths(from, goal, { most });
  const cuts = graph.cuts(from, goal);
  if (values.format === "json") {
    print(stdout, {
      from,
      goal,
      paths: found.map(({ steps }) => steps.map(({ grants, ...step }) => ({ ...step, grants: grants.map(grantJson) }))),
      cuts: cuts.map(({ namespace, name }) => ({ namespace, name })),
    });
  } else {
    for (const [index, path] of found.entries()) stdout.write(pathText(index + 1, path));
    const target = goal === "node" ? "a node" : "cluster-admin";
    if (found.length === 0)
      stdout.write(`No way from ${printable(stateText(from))} to ${target} by any of these objects.\n`);
    else if (cuts.length > 0)
      stdout.write(`Each of these closes every way: take away ${cuts.map(bindingText).map(printable).join("; ")}\n`);
  }
  return found.length > 0 ? 1 : 0;
}

function pathText(number: number, { from, steps }: Path): string {
  const lines = [
    styleText(
      "bold",
      `${number}. ${printable(stateText(from))} → ${printable(stateText(steps.at(-1)?.to ?? from))}, ${steps.length} steps`,
    ),
  ];
  for (const { to, because, grants, technique } of steps) {
    lines.push(`   ${printable(because)}`);
    for (const { binding, rule } of grants)
      lines.push(`     ${styleText("gray", printable(`${bindingText(binding)}, rule ${rule + 1}`))}`);
    const { attack = [] } = techniques.find(({ id }) => id === technique) ?? {};
    lines.push(`     → ${printable(stateText(to))} ${styleText("gray", attack.join(" "))}`);
  }
  return `${lines.join("\n")}\n\n`;
}

function goalOf(text: string | undefined): Goal {
  if (text === undefined || text === "cluster-admin") return "cluster-admin";
  if (text === "node") return "node";
  throw new UsageError("usage", `--to ${text}: no such goal`, { remedy: "cluster-admin or node" });
}

function subjectOf(who: string): Subject {
  const state = parseState(who);
  if (state.kind === "subject") return state.subject;
  throw new UsageError("usage", `${who} is nobody who has rights`, { remedy: "user:, group: or serviceaccount:" });
}

function proposeRoles(
  graph: Graph,
  [who = ""]: readonly string[],
  { audit, format }: Values,
  { stdout, stderr }: Io,
): number {
  if (audit === undefined)
    throw new UsageError("usage", "propose needs --audit FILE", { remedy: "the API server's --audit-log-path" });
  const subject = subjectOf(who);
  const { records, broken } = readAudit(audit);
  if (broken > 0) stderr.write(`${printable(audit)}: ${broken} lines are no audit events and were passed over\n`);
  const proposals = propose(subject, records);
  const spare = unused(graph, subject, records);
  if (format === "json") print(stdout, { proposals, unused: spare });
  else {
    const name = `${subject.name.replaceAll(/[^a-z0-9.-]/g, "-")}-least`;
    const roles = proposals.map(({ namespace, rules }) =>
      stringify({
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: namespace === null ? "ClusterRole" : "Role",
        metadata: { name, ...(namespace !== null && { namespace }) },
        rules,
      }),
    );
    stdout.write(roles.join("---\n"));
    for (const { binding, role, rule } of spare)
      stderr.write(`never used: rule ${rule + 1} of ${printable(role)}, given by ${printable(binding)}\n`);
    if (proposals.length === 0) stderr.write(`the log has no request of ${printable(who)}\n`);
  }
  return broken > 0 ? 3 : 0;
}

function readAudit(file: string): { records: AuditRecord[]; broken: number } {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UsageError("usage", `--audit ${file}: ${errorText(error)}`, {
      remedy: "name the API server's audit log",
    });
  }
  const records: AuditRecord[] = [];
  let broken = 0;
  for (const line of text.split("\n").filter((one) => one.trim() !== "")) {
    try {
      const event = toAuditEvent("file", "file", JSON.parse(line));
      if (event) records.push(event.audit);
      else broken++;
    } catch {
      broken++;
    }
  }
  return { records, broken };
}

function print(stdout: NodeJS.WritableStream, value: unknown): number {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  return 0;
}

export const rbacCommand: Command = { name: "rbac", summary: "who can do what in a cluster", usage, run };
