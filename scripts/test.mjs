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
const tests = ["{packages/*/*,apps/*}/src/**/*.test.ts", "e2e/**/*.test.ts"];

const checked = step("check", ["scripts/check.ts"]);
const tested = step("test", ["--test", "--test-timeout=300000", "--test-concurrency=2", ...reporters, ...tests]);
process.exit(checked && tested ? 0 : 1);
