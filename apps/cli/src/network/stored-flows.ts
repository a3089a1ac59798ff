/** What is worked out from the flows that a server keeps. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { ReplayedPolicies } from "@bulwark/contract";
import { jsonText } from "@bulwark/model/plain";
import type { Io } from "../command.ts";
import { askServer, serverFlags } from "../local/ask-server.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";
import { denialsText } from "./replay-text.ts";
import { grainOf } from "./values.ts";

const options = {
  ...serverFlags,
  cluster: { type: "string", default: "default" },
  hours: { type: "string", default: "24" },
  namespace: { type: "string", multiple: true },
  policies: { type: "string", multiple: true },
  grain: { type: "string", default: "workload" },
  names: { type: "boolean" },
  "without-dns": { type: "boolean" },
  format: { type: "string" },
} as const;

const hour = 3_600_000;
const mostHours = 24 * 365;

/** Policies that allow what the server's flows have seen, and nothing else. */
export async function runLearn(args: string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args, options });
  const format = formatOf(values.format, ["yaml", "json"]);
  const { cluster, namespace: namespaces = [], names = false } = values;
  const asked = { cluster, namespaces, names, grain: grainOf(values.grain), dns: values["without-dns"] !== true };
  const body = { ...asked, since: sinceOf(values.hours) };
  const learned = await askServer(values, async (client) => client.learnNetworkPolicies({ body }));
  io.stdout.write(format === "json" ? jsonText(learned) : learned.text);
  for (const [reason, count] of Object.entries(learned.skipped)) {
    io.stderr.write(`not learned: ${count} × ${printable(reason)}\n`);
  }
  for (const note of learned.notes) io.stderr.write(`note: ${printable(note)}\n`);
  const { candidates, edges } = learned;
  const policies = `${candidates.length} ${candidates.length === 1 ? "policy" : "policies"}`;
  io.stderr.write(`${policies} from ${edges} ${edges === 1 ? "edge" : "edges"}\n`);
  return lossOf(learned.lost, io);
}

/** What policies would have denied of what the server's flows have seen: a change of those that the cluster has. */
export async function runServerReplay(args: string[], io: Io): Promise<number> {
  const { values, tokens } = parseArgs({ args, options, allowPositionals: true, tokens: true });
  const format = formatOf(values.format, ["table", "json"]);
  const files = filesOf(tokens);
  if (files.length === 0) {
    throw new UsageError("usage", "replay needs --policies FILE", { remedy: "--policies learned.yaml" });
  }
  const text = files.map(readText).join("\n---\n");
  const body = { cluster: values.cluster, text, remove: [], since: sinceOf(values.hours) };
  const replayed = await askServer(values, async (client) => client.replayNetworkPolicies({ body }));
  for (const { severity, text: said } of replayed.problems) io.stderr.write(`${severity}: ${printable(said)}\n`);
  const { cluster } = replayed;
  if (cluster.policies === null) {
    io.stderr.write(`note: the policies that ${cluster.cluster} has are not known: ${printable(cluster.reason)}\n`);
  }
  io.stdout.write(format === "json" ? jsonText(replayed) : denialsText(toReplay(replayed)));
  const code = lossOf(replayed.lost, io);
  return replayed.deniedEdges > 0 ? 1 : code;
}

function toReplay(replayed: ReplayedPolicies): Parameters<typeof denialsText>[0] {
  const denied = replayed.denied.map(({ side, reason, ...edge }) => ({ side, reason, edge }));
  return { ...replayed, denied, skipped: Object.entries(replayed.skipped) };
}

/** All names after `--policies` belong to it, so that a shell can expand a pattern there. */
function filesOf(tokens: readonly { kind: string; name?: string; value?: string | undefined }[]): string[] {
  const files: string[] = [];
  let isOpen = false;
  for (const { kind, name, value } of tokens) {
    if (kind === "option") isOpen = name === "policies";
    if (kind === "positional" && !isOpen) {
      throw new UsageError("usage", `${value ?? ""}: what is it?`, { remedy: "--policies FILE…" });
    }
    if (isOpen && value !== undefined) files.push(value);
  }
  return files;
}

function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UsageError("usage", `${file}: ${error instanceof Error ? error.message : "unreadable"}`, {
      remedy: "name a file of policies",
    });
  }
}

function sinceOf(hours: string): number {
  const count = /^\d{1,5}$/.test(hours) ? Number(hours) : 0;
  if (count < 1 || count > mostHours) {
    throw new UsageError("usage", `--hours ${hours}: no number of hours`, { remedy: `from 1 to ${mostHours}` });
  }
  return Date.now() - count * hour;
}

function formatOf(format: string | undefined, formats: readonly string[]): string {
  const chosen = format ?? formats[0] ?? "";
  if (formats.includes(chosen)) return chosen;
  throw new UsageError("usage", `--format ${chosen}: no such format`, { remedy: formats.join(" or ") });
}

/** What the server has not seen, nothing was said of. */
function lossOf(lost: number, io: Io): number {
  if (lost === 0) return 0;
  io.stderr.write(`error: ${lost} flows of that time are not known\n`);
  return 3;
}
