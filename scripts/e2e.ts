/** `npm run e2e`: real containers, a real browser, real databases. `npm test` runs these too, but for those that take minutes (`*.long.ts`). */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const flags = ["--disable-warning=ExperimentalWarning", "--test", "--test-timeout=300000", "--test-concurrency=1"];
const files = process.argv.length > 2 ? process.argv.slice(2) : ["{e2e,deploy}/**/*.{test,long}.ts"];
process.exitCode = spawnSync(process.execPath, [...flags, ...files], { cwd: root, stdio: "inherit" }).status ?? 1;
