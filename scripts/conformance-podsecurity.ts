/** The public pods of the Pod Security Standards, with numbers. Exit code 1 when a verdict or its check differs. */
import { join } from "node:path";
import { runPodSecuritySuite } from "@bulwark/podsecurity";
import { suitesDir } from "@bulwark/testkit";

const { pods, failed, failures } = runPodSecuritySuite(join(suitesDir(), "podsecurity"));
console.log(`podsecurity: ${pods} pods, ${failed} failed`);
for (const failure of failures) console.log(`  ${failure}`);
process.exitCode = failed === 0 && pods > 0 ? 0 : 1;
