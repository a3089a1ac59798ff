import { join } from "node:path";
import { parseArgs } from "node:util";
import { databaseStatus, updateDatabase, type DatabaseStatus } from "@bulwark/advisory";
import type { Command, Io } from "../command.ts";
import { configFrom } from "../local/config.ts";
import { configFlags, configUsage, UsageError } from "../local/options.ts";
import { fit, progress } from "../local/text.ts";

const usage = `Usage: bulwark db update [--from URL|DIR] [OPTION…]
       bulwark db status [OPTION…]

The advisory database: OSV for 34 distributions and languages, Debian's security
tracker, the lists of Alpine, Wolfi and Chainguard, Kubernetes' components, CISA's
catalogue of exploited weaknesses, and EPSS. A running server takes a new one up by
itself. A feed that cannot be read keeps what it had; exit code 3 then. What an
update that was cut off has loaded is not loaded again.

  --from URL|DIR  a mirror instead of the official addresses
  --db FILE       the database; advisories.db in the data folder
  --format json   for programs
${configUsage}`;

const options = {
  ...configFlags,
  from: { type: "string" },
  db: { type: "string" },
  format: { type: "string" },
} as const;

async function run(args: string[], { stdout, stderr }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const file = values.db ?? join(configFrom(values).data, "advisories.db");
  const line = progress(stderr);
  const status = await statusOf(positionals, file, values.from, (text) => line.show(text));
  line.clear();
  if (values.format === "json") stdout.write(`${JSON.stringify(status, null, 2)}\n`);
  else stdout.write(report(status, file));
  return status.feeds.some(({ error }) => error !== "") ? 3 : 0;
}

async function statusOf(
  words: string[],
  into: string,
  from: string | undefined,
  onProgress: (text: string) => void,
): Promise<DatabaseStatus> {
  const [word, ...more] = words;
  if (more.length === 0 && word === "update") return updateDatabase({ into, from, onProgress });
  if (more.length === 0 && word === "status") return databaseStatus(into);
  throw new UsageError("usage", "say update or status", { remedy: "bulwark db --help" });
}

function report({ builtAt, advisories, exploited, feeds }: DatabaseStatus, file: string): string {
  const hours = Math.floor((Date.now() - builtAt) / 3_600_000);
  const age = hours < 1 ? "less than an hour" : hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
  const head = `${file}\n${advisories} advisories, ${exploited} known to be exploited, ${age} old\n\n`;
  const rows = feeds.map(({ name, records, error }) => {
    const state = error === "" ? "" : `  ${records > 0 ? "kept from before" : "missing"}: ${error}`;
    return `  ${fit(name, 26)} ${String(records).padStart(8)}${state}\n`;
  });
  return head + rows.join("");
}

export const dbCommand: Command = { name: "db", summary: "the advisory database", usage, run };
