/** The public truth tables of NetworkPolicy, with numbers. Exit code 1 when a cell differs. */
import { join } from "node:path";
import { runTruthTables } from "@bulwark/netpol";
import { suitesDir } from "@bulwark/testkit";

const { cases, cells, failed, failures } = runTruthTables(join(suitesDir(), "netpol/truth-tables.json.gz"));
console.log(`netpol: ${cases} cases, ${cells} cells, ${failed} failed`);
for (const failure of failures) console.log(`  ${failure}`);
process.exitCode = failed === 0 && cells > 0 ? 0 : 1;
