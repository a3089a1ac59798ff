import { join } from "node:path";
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { copyStore, type CopiedTable } from "@bulwark/store";
import type { Command, Io } from "../command.ts";
import { configFrom } from "../local/config.ts";
import { configFlags, configUsage, UsageError } from "../local/options.ts";
import { fit, progress } from "../local/text.ts";

const usage = `Usage: bulwark store copy --to URL [OPTION…]

Copies all that a server remembers from SQLite to an empty PostgreSQL database, then
reads both and compares them, table by table. Stop the server first, and start it
with DATABASE_URL=URL when the copy is done. Called again after it was broken off, it
goes on where it was. The SQLite file stays as it is.

  --from FILE     the SQLite file; bulwark.db in the data folder
  --to URL        PostgreSQL 15 or newer: postgres://user:password@host/bulwark
  --format json   for programs
${configUsage}`;

const options = {
  ...configFlags,
  from: { type: "string" },
  to: { type: "string" },
  format: { type: "string" },
} as const;

async function run(args: string[], { stdout, stderr }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const config = configFrom(values);
  if (positionals.length !== 1 || positionals[0] !== "copy") {
    throw new UsageError("usage", "say copy", { remedy: "bulwark store copy --to postgres://…" });
  }
  const from = values.from ?? join(config.data, "bulwark.db");
  if (!existsSync(from)) {
    throw new UsageError("usage", `${from} is not there`, {
      remedy: "name the SQLite file with --from, or its folder with --data",
    });
  }
  const to = values.to ?? config.server.database;
  if (to === undefined || !/^postgres(ql)?:\/\//.test(to)) {
    throw new UsageError("usage", "--to: the address of a PostgreSQL database is needed", {
      remedy: "--to postgres://user:password@host/bulwark",
    });
  }
  const stopping = new AbortController();
  const stop = (): void =>
    stopping.abort(new UsageError("usage", "broken off", { remedy: "call it again: it goes on where it was" }));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const line = progress(stderr);
  try {
    const tables = await copyStore({
      from,
      to,
      signal: stopping.signal,
      onProgress: ({ phase, table, done, rows }) => {
        const percent = rows === 0 ? 100 : Math.floor((done / rows) * 100);
        line.show(
          `${phase === "copy" ? "copying" : "comparing"} ${table}: ${Math.floor(done)} of ${rows} rows, ${percent} %`,
        );
      },
    });
    line.clear();
    stdout.write(values.format === "json" ? `${JSON.stringify({ tables }, null, 2)}\n` : report(tables));
    return 0;
  } finally {
    line.clear();
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

function report(tables: CopiedTable[]): string {
  const rows = tables.map(
    ({ table, rows: count, checksum }) => `${fit(table, 20)} ${String(count).padStart(12)}  ${checksum}\n`,
  );
  const total = tables.reduce((sum, { rows: count }) => sum + count, 0);
  return `${"TABLE".padEnd(20)} ${"ROWS".padStart(12)}  CHECKSUM\n${rows.join("")}\n${total} rows, the same on both sides. Start the server with DATABASE_URL.\n`;
}

export const storeCommand: Command = { name: "store", summary: "copy a store", usage, run };
