import { spawnSync } from "node:child_process";

/** The output of a program. Raises with what it said when it fails. */
export function run(command: string, args: readonly string[], folder?: string): string {
  const result = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { ...process.env, LC_ALL: "C" },
    ...(folder === undefined ? {} : { cwd: folder }),
  });
  if (result.error) throw new Error(`${command} could not be run: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${result.stderr.trim().slice(-2000)}`);
  return result.stdout;
}
