/** `npm run conformance`: the public suites (SUITES_DIR, beside the checkout by default), with numbers. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { versionsConformance } from "@bulwark/advisory";
import { runConformance } from "@bulwark/cel/conformance";
import { purlConformance } from "@bulwark/inventory";
import { runTruthTables } from "@bulwark/netpol";
import { runPodSecuritySuite } from "@bulwark/podsecurity";
import { rulesConformance } from "@bulwark/rules";
import { suitesDir } from "@bulwark/testkit";

const suites: { name: string; folder?: string; run(folder: string): { passed: number; failures: string[] } }[] = [
  { name: "versions", folder: "versions", run: versionsConformance },
  { name: "package URLs", folder: "purl", run: purlConformance },
  {
    name: "CEL (@bufbuild/cel-spec)",
    run() {
      const { passed, failures, skipped } = runConformance();
      for (const [reason, names] of skipped) console.log(`  CEL: ${names.length} not run, they need ${reason}`);
      return { passed, failures };
    },
  },
  {
    name: "NetworkPolicy tables",
    folder: "netpol",
    run(folder) {
      const { cells, failed, failures } = runTruthTables(join(folder, "truth-tables.json.gz"));
      return { passed: cells - failed, failures: [...failures] };
    },
  },
  { name: "Falco's stable rules", folder: "falco", run: rulesConformance },
  {
    name: "Pod Security Standards",
    folder: "podsecurity",
    run(folder) {
      const { pods, failed, failures } = runPodSecuritySuite(folder);
      return { passed: pods - failed, failures: [...failures] };
    },
  },
];

let failed = 0;
for (const { name, folder, run } of suites) {
  const path = join(suitesDir(), folder ?? "");
  if (folder !== undefined && !existsSync(path)) {
    console.log(`${name.padEnd(24)} skipped: ${path} is not there`);
    continue;
  }
  const { passed, failures } = run(path);
  failed += failures.length;
  console.log(`${name.padEnd(24)} ${passed} of ${passed + failures.length}`);
  for (const failure of failures.slice(0, 20)) console.log(`  ${failure}`);
}
process.exitCode = failed === 0 ? 0 : 1;
