/** `npm run check`: everything that can be said of the code without running it. All steps run; any failure fails. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { arrowProblems } from "./arrows.ts";

const root = join(import.meta.dirname, "..");
const tool = (name: string, ...args: string[]) => [join(root, "node_modules/.bin", name), ...args] as const;

const steps: [title: string, command: readonly [string, ...string[]]][] = [
  ["types", tool("tsc", "-p", ".")],
  ["types of the console", tool("tsc", "-p", "apps/console")],
  ["lint", tool("oxlint", "--type-aware", "--quiet")],
  ["format", tool("oxfmt", "--check", ".")],
  ["unused code and dependencies", tool("knip", "--no-progress")],
  ["translations", [process.execPath, "--test", join(root, "apps/console/src/i18n/*.test.ts")]],
];

let failed = 0;
for (const [title, [command, ...args]] of steps) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8", env: withThisNode() });
  report(title, status === 0 ? [] : [stdout + stderr]);
}
report("arrows", arrowProblems(root));
process.exitCode = failed === 0 ? 0 : 1;

function report(title: string, problems: string[]): void {
  console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${title}`);
  for (const problem of problems) console.log(problem);
  failed += problems.length;
}

/** The tools' own `#!/usr/bin/env node` shall find the Node that runs this. */
function withThisNode(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${join(process.execPath, "..")}:${process.env["PATH"] ?? ""}` };
}
