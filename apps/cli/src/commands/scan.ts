import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, styleText } from "node:util";
import { match, openDatabase } from "@bulwark/advisory";
import { openImage } from "@bulwark/image";
import { catalog } from "@bulwark/inventory";
import { severities, severity, severityRank, type Inventory, type Severity, type Vulnerability } from "@bulwark/model";
import type { Command, Io } from "../command.ts";
import { configFlags, configFrom, configUsage, UsageError } from "../local/options.ts";
import { fit, progress } from "../local/text.ts";

const usage = `Usage: bulwark scan image FILE|DIR [OPTION…]
       bulwark scan fs DIR [OPTION…]

Lists what is inside an image (an archive of docker save or OCI, an OCI layout) or
a root file system, and what advisories say of it. Debian, Ubuntu and Alpine
packages. Works without a server and without a network, on the database of
bulwark db update.

  --fail-on LEVEL  exit code 1 when there is a weakness of this level or worse
  --db FILE        the advisory database; advisories.db in the data folder
  --packages       list the packages too
  --format json    for programs
${configUsage}`;

const options = {
  ...configFlags,
  "fail-on": { type: "string" },
  db: { type: "string" },
  packages: { type: "boolean" },
  format: { type: "string" },
} as const;

async function run(args: string[], { stdout, stderr }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [kind, path, ...more] = positionals;
  if ((kind !== "image" && kind !== "fs") || path === undefined || more.length > 0) {
    throw new UsageError("usage", "say image or fs, and one path", { remedy: "bulwark scan --help" });
  }
  const gate = gateOf(values["fail-on"]);
  const line = progress(stderr);
  line.show(`reading ${path}`);
  await using tree = await openImage(path);
  const inventory = await catalog(tree);
  line.clear();

  const file = values.db ?? join(configFrom(values).data, "advisories.db");
  const vulnerabilities = existsSync(file) ? matchIn(file, inventory) : undefined;
  if (values.format === "json") {
    const report = {
      name: tree.name,
      digest: tree.digest,
      source: tree.source,
      inventory,
      vulnerabilities: vulnerabilities ?? null,
    };
    stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else stdout.write(table(tree.name, inventory, vulnerabilities, values.packages === true));
  if (!vulnerabilities) stderr.write(`bulwark scan: no advisory database at ${file}: run bulwark db update\n`);

  if (gate !== undefined && vulnerabilities?.some((item) => severityRank(item.severity) <= gate)) return 1;
  const partial =
    inventory.extractors.some(({ state }) => state !== "done") || !vulnerabilities || inventory.extractors.length === 0;
  return partial ? 3 : 0;
}

function gateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const level = severity.safeParse(text);
  if (level.success) return severityRank(level.data);
  throw new UsageError("usage", `--fail-on ${text}: no such level`, { remedy: severities.join(", ") });
}

function matchIn(file: string, inventory: Inventory): Vulnerability[] {
  using database = openDatabase(file);
  return match(inventory, database).toSorted((a, b) => order(a, b));
}

function order(a: Vulnerability, b: Vulnerability): number {
  const first = Number(b.exploited) - Number(a.exploited) || severityRank(a.severity) - severityRank(b.severity);
  return first || (b.cvss?.score ?? 0) - (a.cvss?.score ?? 0) || (a.id < b.id ? -1 : 1);
}

const colours = {
  critical: "red",
  high: "red",
  medium: "yellow",
  low: "blue",
  negligible: "gray",
  unknown: "gray",
} as const;

function table(
  name: string,
  { os, packages, extractors }: Inventory,
  found: Vulnerability[] | undefined,
  all: boolean,
): string {
  const lines = [
    styleText("bold", fit(name, 78).trimEnd()),
    `${os?.name ?? "no distribution known"}, ${packages.length} packages`,
    "",
  ];
  for (const { extractor, state, errors } of extractors.filter((item) => item.state !== "done")) {
    lines.push(`${state}: ${extractor}: ${fit(errors[0]?.message ?? "", 60).trimEnd()}`);
  }
  if (extractors.length === 0) lines.push("nothing in it that tells of packages");
  if (all) lines.push(...packages.map((item) => `  ${fit(item.name, 36)} ${fit(item.version, 38)}`), "");
  if (!found) return `${lines.join("\n")}\n`;

  const groups = Map.groupBy(found, (item) => `${item.source} ${item.version}`);
  for (const [group, items] of groups) {
    const fixes = new Set(items.map(({ fixedVersion }) => fixedVersion).filter((version) => version !== null));
    const fix = [...fixes].at(-1);
    lines.push(`${fit(group, 46)} ${fix === undefined ? "no fix yet" : `fixed in ${fit(fix, 22).trimEnd()}`}`);
    for (const item of new Map(items.map((one) => [one.id, one])).values()) {
      const level = styleText(colours[item.severity], item.severity.padEnd(10));
      const mark = item.exploited ? styleText("red", "exploited ") : "";
      lines.push(`  ${level} ${item.id.padEnd(16)} ${mark}${fit(item.summary, item.exploited ? 38 : 48).trimEnd()}`);
    }
  }
  return `${lines.join("\n")}\n\n${totals(found)}\n`;
}

function totals(found: Vulnerability[]): string {
  const count = (level: Severity): number => found.filter((item) => item.severity === level).length;
  const counts = severities.map((level) => [level, count(level)] as const).filter(([, number]) => number > 0);
  const list = counts.map(([level, number]) => `${number} ${level}`).join(", ");
  return found.length === 0 ? "No known weakness." : `${found.length} known weaknesses: ${list}.`;
}

export const scanCommand: Command = { name: "scan", summary: "what is inside", usage, run };
