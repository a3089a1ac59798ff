/** `bulwark scan` as it is typed, with a cache of its own, for the tests of what it lists. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import type { Report } from "@bulwark/model";

const root = join(import.meta.dirname, "..");

export interface Scanned {
  code: number;
  report: Report;
  err: string;
}

export interface Scanner {
  /** What a scan prints as JSON. Raises with what it says on standard error where it prints none. */
  scan(...args: string[]): Promise<Scanned>;
  /** What it says where it cannot begin. */
  refused(...args: string[]): Promise<{ code: number; err: string }>;
}

/** Scans without advisories: what is listed does not depend on them. `folder` holds the cache. */
export function scannerIn(folder: string, environment: NodeJS.ProcessEnv = {}): Scanner {
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache"), ...environment };
  const call = async (args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const words = ["scan", ...args, "--db", join(folder, "no.db"), "--format", "json"];
      const options = { env, timeout: 300_000, maxBuffer: 512 * 1024 ** 2 };
      execFile(join(root, "bin/bulwark"), words, options, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
      });
    });
  return {
    async scan(...args) {
      const { code, out, err } = await call(args);
      if (!out.startsWith("{")) throw new Error(`bulwark scan ${args.join(" ")} → ${code}: ${err}`);
      return { code, report: JSON.parse(out) as Report, err };
    },
    async refused(...args) {
      const { code, out, err } = await call(args);
      if (out !== "") throw new Error(`bulwark scan ${args.join(" ")} → ${code}: ${out.slice(0, 200)}`);
      return { code, err };
    },
  };
}

/** `name version` of what a report lists of a kind, each once. */
export function listed({ packages }: Report, type: string, name: (name: string) => string = (text) => text): string[] {
  const found = packages.filter((item) => item.type === type).map((item) => `${name(item.name)} ${item.version}`);
  return [...new Set(found)].toSorted();
}

/** Every part that was not done, with its first reason: none, where all could be looked at. */
export function troubles({ parts }: Report): string[] {
  return parts
    .filter(({ state }) => state !== "done")
    .map(({ extractor, errors }) => `${extractor}: ${errors[0]?.path ?? ""}: ${errors[0]?.message ?? ""}`);
}
