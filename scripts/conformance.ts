/** `npm run conformance`: the public suites (SUITES_DIR, beside the checkout by default), with numbers. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { versionsConformance } from "@bulwark/advisory";
import { suitesDir } from "@bulwark/testkit";

const suites: { name: string; folder: string; run(folder: string): { passed: number; failures: string[] } }[] = [
  { name: "versions", folder: "versions", run: versionsConformance },
];

let failed = 0;
for (const { name, folder, run } of suites) {
  const path = join(suitesDir(), folder);
  if (!existsSync(path)) {
    console.log(`${name.padEnd(24)} skipped: ${path} is not there`);
    continue;
  }
  const { passed, failures } = run(path);
  failed += failures.length;
  console.log(`${name.padEnd(24)} ${passed} of ${passed + failures.length}`);
  for (const failure of failures.slice(0, 20)) console.log(`  ${failure}`);
}
process.exitCode = failed === 0 ? 0 : 1;
