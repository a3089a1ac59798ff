import { existsSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDatabase } from "@bulwark/advisory/lookup";
import { chosen, collectHost, loadLibrary, needsOf, withVersions } from "@bulwark/benchmark";
import { dataFolder } from "@bulwark/config/data-folder";
import { errorText } from "@bulwark/model";
import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { benchmarkFlags, benchmarkUsage, runBenchmark } from "./benchmark.ts";

const usage = `Usage: bulwark check host [OPTION…]

Holds this host against benchmarks: its kernel, its files, accounts and services,
container runtimes, and what of Kubernetes runs on it. It reads files and runs
nothing; what it may not read is unknown, so run it as root.

  --root DIR        the host whose root is mounted there; for a pod
  --name NAME       what the host is called in the answer
  --deep            walk the whole file system, too
  --db FILE         the advisory database; advisories.db in the data folder
${benchmarkUsage}
Exit code 1 when something fails, 3 when something could not be looked at.
`;

const options = {
  ...benchmarkFlags,
  root: { type: "string" },
  name: { type: "string" },
  deep: { type: "boolean" },
  db: { type: "string" },
  config: { type: "string" },
  data: { type: "string" },
} as const;

async function run(args: string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args, options });
  const root = values.root ?? "/";
  if (!isFolder(root)) {
    throw new UsageError("usage", `--root ${root}: no such folder`, { remedy: "name the folder with the host's root" });
  }
  return runBenchmark(values, "host", io, async (choice) => {
    const collectedAt = Date.now();
    const needs = needsOf(chosen(loadLibrary(), "host", choice));
    const file = values.db ?? join(values.data ?? (await dataFolder(values.config)), "advisories.db");
    using database = existsSync(file) ? openDatabase(file) : undefined;
    const facts = await withVersions(collectHost({ root, needs, deep: values.deep === true }), database);
    return { subject: { kind: "host", name: values.name ?? hostname() }, facts, collectedAt };
  });
}

/** Raises `UsageError` where it may be one, and there is no right to look. */
function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    throw new UsageError("usage", `--root ${path}: ${errorText(error)}`, { remedy: "run it as root", cause: error });
  }
}

export const hostCommand: Command = { name: "host", summary: "this host against benchmarks", usage, run };
