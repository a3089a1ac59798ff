/** `npm run conformance`: the public suites (SUITES_DIR, beside the checkout by default), with numbers. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { versionsConformance } from "@bulwark/advisory";
import { osvConformance } from "@bulwark/advisory/conformance";
import { runConformance } from "@bulwark/cel/conformance";
import { purlConformance } from "@bulwark/inventory";
import { runTruthTables } from "@bulwark/netpol";
import { runPodSecuritySuite } from "@bulwark/podsecurity";
import { rulesConformance } from "@bulwark/rules";
import { feedsDir, suitesDir } from "@bulwark/testkit";

interface Outcome {
  passed: number;
  failures: string[];
}
const suites: { name: string; folder?: string; run(folder: string): Outcome | Promise<Outcome> }[] = [
  { name: "versions", folder: "versions", run: versionsConformance },
  { name: "package URLs", folder: "purl", run: purlConformance },
  {
    name: "OSV records loaded",
    folder: "osv",
    async run(folder) {
      const { feeds, failures } = await osvConformance(join(folder, "schema.json"), feedsDir());
      for (const { feed, records, valid, refused, withdrawn, loaded } of feeds) {
        console.log(`  ${feed}: ${records} records, ${valid} valid, ${loaded} loaded, ${withdrawn} withdrawn`);
        for (const [reason, { count, record, value }] of Object.entries(refused))
          console.log(`    ${count} loaded although the schema refuses them: ${reason}, as in ${record}: ${value}`);
      }
      return { passed: feeds.reduce((sum, { loaded, withdrawn }) => sum + loaded + withdrawn, 0), failures };
    },
  },
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
  const { passed, failures } = await run(path);
  failed += failures.length;
  console.log(`${name.padEnd(24)} ${passed} of ${passed + failures.length}`);
  for (const failure of failures.slice(0, 20)) console.log(`  ${failure}`);
}
process.exitCode = failed === 0 ? 0 : 1;
