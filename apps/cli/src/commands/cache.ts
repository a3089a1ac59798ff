import { parseArgs } from "node:util";
import { LayerCache } from "@bulwark/examine";
import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";

const usage = `Usage: bulwark cache status [--format json]
       bulwark cache clear
       bulwark cache trim --limit SIZE

What scans of images keep, so that a layer is read once: by its digest, and by the
code and content that looked at it. Any number of scans may use it at once. It lies
in $XDG_CACHE_HOME/bulwark (~/.cache/bulwark), or where --folder says.

  --limit SIZE    keep so much, 500MB or 2GB, and forget what was used longest ago;
                  scans keep to 2 GB by themselves
  --folder DIR    another folder
  --format json   for programs
`;

const options = {
  limit: { type: "string" },
  folder: { type: "string" },
  format: { type: "string" },
} as const;

async function run(args: string[], { stdout }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [word, ...more] = positionals;
  const limit = values.limit === undefined ? undefined : bytesOf(values.limit);
  if (more.length > 0 || !["status", "clear", "trim"].includes(word ?? "")) {
    throw new UsageError("usage", "say status, clear or trim", { remedy: "bulwark cache --help" });
  }
  if ((word === "trim") !== (limit !== undefined)) {
    throw new UsageError("usage", "--limit and trim belong together", { remedy: "bulwark cache trim --limit 500MB" });
  }
  const cache = new LayerCache(values.folder, limit);
  if (word === "clear") cache.clear();
  if (word === "trim") cache.trim();
  const status = cache.status();
  if (values.format === "json") stdout.write(`${JSON.stringify(status, null, 2)}\n`);
  else stdout.write(text(status));
  return 0;
}

function text({ folder, files, bytes, limit, oldest }: ReturnType<LayerCache["status"]>): string {
  const age = oldest === null ? "" : `, the oldest used ${new Date(oldest).toISOString().slice(0, 10)}`;
  return `${folder}\n${files} files, ${megabytes(bytes)} of ${megabytes(limit)} MB${age}\n`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}

function bytesOf(size: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s?([kMG]?)B?$/.exec(size) ?? [];
  if (number === undefined) throw new UsageError("usage", `--limit ${size}: no size`, { remedy: "500MB, or 2GB" });
  return Number(number) * { "": 1, k: 1e3, M: 1e6, G: 1e9 }[unit as "" | "k" | "M" | "G"];
}

export const cacheCommand: Command = { name: "cache", summary: "what scans keep of images", usage, run };
