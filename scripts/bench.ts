/** `npm run bench [NAME…]`: every bench, or those that are named. Exit code 1 when a limit is missed. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { basename, join } from "node:path";

const folder = join(import.meta.dirname, "../bench");
const wanted = process.argv.slice(2);
const names = globSync("*.ts", { cwd: folder })
  .map((file) => basename(file, ".ts"))
  .sort();
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(", ")}; there are ${names.join(", ")}`);
  process.exit(2);
}
let missed = false;
for (const name of wanted.length > 0 ? wanted : names) {
  console.log(`\n== ${name}`);
  const flags = ["--disable-warning=ExperimentalWarning", join(folder, `${name}.ts`)];
  missed = spawnSync(process.execPath, flags, { stdio: "inherit" }).status !== 0 || missed;
}
process.exitCode = missed ? 1 : 0;
