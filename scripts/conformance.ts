/** `npm run conformance`: the public suites (SUITES_DIR, beside the checkout by default), with numbers. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { versionsConformance } from "@bulwark/advisory";
import { runTruthTables } from "@bulwark/netpol";
import { suitesDir } from "@bulwark/testkit";

interface Result {
  passed: number;
  /** Where only the first failures are named: how many there are. */
  failed?: number;
  failures: string[];
}

const suites: { name: string; folder: string; run(folder: string): Result }[] = [
  { name: "versions (deb, apk)", folder: "versions", run: versionsConformance },
  { name: "network policies, cells", folder: "netpol", run: truthTables },
];

let failed = 0;
for (const { name, folder, run } of suites) {
  const path = join(suitesDir(), folder);
  if (!existsSync(path)) {
    console.log(`${name.padEnd(24)} skipped: ${path} is not there`);
    continue;
  }
  const { passed, failures, failed: wrong = failures.length } = run(path);
  failed += wrong;
  console.log(`${name.padEnd(24)} ${passed} of ${passed + wrong}`);
  for (const failure of failures.slice(0, 20)) console.log(`  ${failure}`);
}
process.exitCode = failed === 0 ? 0 : 1;

function truthTables(folder: string): Result {
  const { cells, failed, failures } = runTruthTables(join(folder, "truth-tables.json.gz"));
  return { passed: cells - failed, failed, failures: [...failures] };
}
