import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { createProfile, createRun, detectors, parseBadList, type Anomaly, type BadList } from "@bulwark/anomaly";
import type { Flow } from "@bulwark/flow";
import { errorText, jsonText } from "@bulwark/model/plain";
import type { Cluster } from "@bulwark/netpol";
import type { Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";

import { readAll } from "./read-flows.ts";
import { clusterOf, readValues } from "./values.ts";

/** Logs are not in the order of time, and detectors need it: so many flows are held to be sorted. */
const mostFlows = 2_000_000;
const severities = ["low", "medium", "high"] as const;

/** `detect`: what is out of the ordinary in recorded flows. Exit code 1 when anything of `--fail-on` is. */
export async function runDetect(args: string[], io: Io): Promise<number> {
  const values = readValues(args, ["table", "json"]);
  const failOn = severities.find((severity) => severity === values.failOn);
  if (!failOn) {
    throw new UsageError("usage", `--fail-on ${values.failOn}: no such severity`, { remedy: severities.join(", ") });
  }
  const cluster = clusterOf(values.manifests);
  const badList = values.list.length > 0 ? readList(values.list, io) : null;
  const profile = values.baseline.length > 0 ? createProfile() : null;
  const learned = profile ? await readSorted(values.baseline, cluster, io) : null;
  const { flows, ...read } = await readSorted(values.flows, cluster, io);
  const found: Anomaly[] = [];
  let learning = true;
  const run = createRun(detectors, { profile, badList }, (anomaly) => {
    if (!learning) found.push(anomaly);
  });
  for (const flow of learned?.flows ?? []) profile?.learn(flow);
  // What is judged by a workload's own past has one then.
  for (const flow of learned?.flows ?? []) run.see(flow);
  learning = false;
  for (const flow of flows) run.see(flow);
  const forgotten = run.forgotten();
  for (const [detector, count] of Object.entries(forgotten)) {
    io.stderr.write(`error: ${detector} forgot ${count} that it had no room for\n`);
  }
  const blind = detectors.filter(
    ({ needs }) => (needs.includes("baseline") && !profile) || (needs.includes("list") && !badList),
  );
  const idle = blind.map(({ id }) => id);
  io.stdout.write(
    values.format === "json"
      ? jsonText({ flows: flows.length, anomalies: found, idle })
      : anomaliesText(found, flows.length, idle),
  );
  const least = severities.indexOf(failOn);
  if (found.some(({ severity }) => severities.indexOf(severity) >= least)) return 1;
  return read.partial || learned?.partial === true || Object.keys(forgotten).length > 0 ? 3 : 0;
}

interface Sorted {
  readonly flows: readonly Flow[];
  readonly partial: boolean;
}

async function readSorted(files: readonly string[], cluster: Cluster, io: Io): Promise<Sorted> {
  const flows: Flow[] = [];
  let lost = 0;
  const { partial } = await readAll(
    files,
    cluster,
    (flow) => {
      if (flows.length < mostFlows) flows.push(flow);
      else lost++;
    },
    io,
  );
  if (lost > 0) io.stderr.write(`error: ${lost} flows lost: at most ${mostFlows} are taken\n`);
  return { flows: flows.sort((a, b) => a.first - b.first), partial: partial || lost > 0 };
}

function readList(files: readonly string[], io: Io): BadList {
  const texts = files.map((file) => {
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      throw new UsageError("usage", `--list ${file}: ${errorText(error)}`, {
        remedy: "a file with an address, block or name a line",
      });
    }
  });
  const list = parseBadList(texts.join("\n"));
  if (list.size === 0) {
    throw new UsageError("usage", `--list ${files.join(" ")}: no entry in it`, {
      remedy: "an address, block or name a line",
    });
  }
  if (list.broken.length > 0)
    io.stderr.write(`error: ${list.broken.length} lines of the list are no entries, the first is ${list.broken[0]}\n`);
  return list;
}

const mostShown = 500;
const colours = { low: "cyan", medium: "yellow", high: "red" } as const;

function anomaliesText(found: readonly Anomaly[], flows: number, idle: readonly string[]): string {
  const lines = found
    .slice(0, mostShown)
    .map(({ severity, title, detector, techniques, score, time, subject, peer, port, explanation }) => {
      const when = new Date(time).toISOString().slice(0, 16).replace("T", " ");
      const head = `${styleText(colours[severity], severity.padEnd(6))} ${title}  (${detector}, ${techniques.join(" ")}, score ${score.toFixed(2)})`;
      return `${head}\n       ${when} UTC  ${printable(`${subject} → ${peer}`)}  port ${port}\n       ${printable(explanation)}\n`;
    });
  const more = found.length > mostShown ? `… and ${found.length - mostShown} more; --format json has all\n` : "";
  const without = idle.length === 0 ? "" : `not looked for: ${idle.join(", ")} (--baseline, --list)\n`;
  return `${lines.join("")}${more}${found.length} in ${flows} flows\n${without}`;
}
