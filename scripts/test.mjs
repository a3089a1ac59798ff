// `npm test`: set up what is missing, then run everything that this machine allows.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { newNode, root } from "./lib/new-node.mjs";
import { setup } from "./setup.mjs";

if (!setup()) process.exit(2);
const node = newNode();
const flags = ["--disable-warning=ExperimentalWarning"];

function step(title, args) {
  console.log(`\n== ${title}`);
  return spawnSync(node, [...flags, ...args], { cwd: root, stdio: "inherit" }).status === 0;
}

/** Reporters: people's on the terminal, and the list of what was skipped at the end. */
const reporters = [
  "--test-reporter=spec",
  "--test-reporter-destination=stdout",
  `--test-reporter=${join(root, "scripts/lib/skipped-reporter.mjs")}`,
  "--test-reporter-destination=stdout",
];

function tests(title, concurrency, files) {
  const flags = ["--test", "--test-timeout=600000", `--test-concurrency=${concurrency}`, ...reporters];
  return step(title, [...flags, ...files]);
}

/** End to end, but promising nobody seconds and leaving other tests' containers alone: they may run beside others. */
const calm = ["admission", "check-peer", "console", "joined-cluster", "policies", "scan*", "store-copy"];
const calmPages = ["network", "policies", "posture"];

const checked = step("check", ["scripts/check.ts"]);
const tested = tests("test", 2, [
  "{packages/*/*,apps/*}/src/**/*.test.ts",
  "deploy/**/*.test.ts",
  `e2e/{${calm.join(",")}}.test.ts`,
  `e2e/console/{${calmPages.join(",")}}.test.ts`,
]);
// One after the other: they promise seconds to a person, and start whole products, clusters and browsers for it.
const proven = tests("end to end", 1, [
  `e2e/!(${calm.join("|")}).test.ts`,
  `e2e/console/!(${calmPages.join("|")}).test.ts`,
  "e2e/!(console)/**/*.test.ts",
]);
process.exit(checked && tested && proven ? 0 : 1);
