import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, styleText } from "node:util";
import { checkDockerfile, parseDockerfile } from "@bulwark/manifest";
import { errorText, severities, severity, severityRank, type CheckResult, type Severity } from "@bulwark/model";
import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { jsonText } from "@bulwark/model/plain";
import { printable } from "../local/text.ts";

const usage = `Usage: bulwark check dockerfile FILE… [OPTION…]

Holds Dockerfiles against the checks in content/checks/dockerfile: who the container
runs as, credentials, base images, downloads, leftovers. A FILE is a Dockerfile, a
folder (every Dockerfile, *.Dockerfile and Containerfile below it), or - for standard
input.

  --fail-on LEVEL  exit code 1 for findings of this severity or worse; any unless said
  --skip CHECK,…   not these checks
  --all            show what holds, too
  --format json    for programs

Exit code 1 when there are findings, 3 when a part could not be read.
`;

const options = {
  "fail-on": { type: "string" },
  skip: { type: "string" },
  all: { type: "boolean" },
  format: { type: "string" },
} as const;

const sizeLimit = 1024 * 1024;

interface Checked {
  file: string;
  results: CheckResult[];
  /** Lines that were not understood. */
  problems: { line: number; message: string }[];
}

async function run(args: string[], { stdout }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (positionals.length === 0) {
    throw new UsageError("usage", "needs a FILE", { remedy: "bulwark check dockerfile --help" });
  }
  if (values.format !== undefined && values.format !== "json") {
    throw new UsageError("usage", `--format ${values.format}: no such format`, { remedy: "json, or none for people" });
  }
  const gate = gateOf(values["fail-on"]);
  const skipped = new Set(values.skip?.split(","));
  const checked = positionals.flatMap(filesOf).map((file) => checkFile(file, skipped));
  stdout.write(
    values.format === "json" ? jsonText(checked) : checked.map((one) => text(one, values.all === true)).join("\n"),
  );

  const results = checked.flatMap((one) => one.results);
  if (results.some((one) => one.state === "fail" && severityRank(one.severity) <= gate)) return 1;
  const partial = checked.some(({ problems }) => problems.length > 0) || results.some((one) => one.state === "unknown");
  return partial ? 3 : 0;
}

function gateOf(level: string | undefined): number {
  if (level === undefined) return severities.length;
  const parsed = severity.safeParse(level);
  if (parsed.success) return severityRank(parsed.data);
  throw new UsageError("usage", `--fail-on ${level}: no such level`, { remedy: severities.join(", ") });
}

/** A folder stands for the Dockerfiles in it. */
function filesOf(path: string): string[] {
  if (path === "-" || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const patterns = ["**/{Dockerfile,Containerfile}", "**/{Dockerfile,Containerfile}.*", "**/*.{Dockerfile,dockerfile}"];
  const exclude = (name: string): boolean => name === "node_modules" || name === ".git";
  const found = [...new Set(globSync(patterns, { cwd: path, exclude }))].filter(
    (file) => !file.endsWith(".dockerignore"),
  );
  if (found.length > 0) return found.toSorted().map((file) => join(path, file));
  throw new UsageError("usage", `${path}: no Dockerfile in it`, { remedy: "name the file" });
}

function checkFile(file: string, skipped: ReadonlySet<string>): Checked {
  const source = readText(file);
  const results = checkDockerfile(source, file).filter(({ check }) => !skipped.has(check));
  const worstFirst = (a: CheckResult, b: CheckResult): number =>
    severityRank(a.severity) - severityRank(b.severity) || (a.line ?? 0) - (b.line ?? 0);
  return { file, results: results.toSorted(worstFirst), problems: parseDockerfile(source).problems };
}

function readText(file: string): string {
  try {
    if (file === "-") return readFileSync(0, "utf8");
    const { size } = statSync(file);
    if (size > sizeLimit) throw new Error(`${size} bytes; at most ${sizeLimit} are read`);
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError("usage", `${file}: ${errorText(error)}`, { remedy: "name a Dockerfile that can be read" });
  }
}

const colours = {
  critical: "red",
  high: "red",
  medium: "yellow",
  low: "blue",
  negligible: "gray",
  unknown: "gray",
} as const satisfies Record<Severity, string>;

function text({ file, results, problems }: Checked, all: boolean): string {
  const lines = [styleText("bold", printable(file))];
  for (const { line, message } of problems) lines.push(`  line ${line}: not understood: ${printable(message)}`);
  for (const one of results.filter(({ state }) => all || state === "fail" || state === "unknown")) {
    const level =
      one.state === "fail" ? styleText(colours[one.severity], one.severity.padEnd(10)) : one.state.padEnd(14);
    const place = one.line === null ? "" : `line ${one.line}: `;
    lines.push(`  ${level} ${place}${printable(one.reason)}`);
    if (one.state === "fail") lines.push(`             ${one.check}: ${printable(one.remedy)}`);
  }
  const failed = results.filter(({ state }) => state === "fail").length;
  const passed = results.filter(({ state }) => state === "pass").length;
  lines.push(`  ${failed === 0 ? "nothing found" : `${failed} found`}, ${passed} checks hold`);
  return `${lines.join("\n")}\n`;
}

export const dockerfileCommand: Command = { name: "dockerfile", summary: "Dockerfiles", usage, run };
