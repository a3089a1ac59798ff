// `npm test`: set up what is missing, then run everything that this machine allows.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { newNode, root } from "./lib/new-node.mjs";
import { setup } from "./setup.mjs";

if (!setup()) process.exit(2);
const node = newNode();
const flags = ["--disable-warning=ExperimentalWarning"];
// Each file of tests is a process of its own, and they share most of what they import: it is compiled once. As in bin/bulwark.
const home = process.env.XDG_CACHE_HOME ?? (process.env.HOME && join(process.env.HOME, ".cache"));
if (home) process.env.NODE_COMPILE_CACHE ??= join(home, "bulwark/code");

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
const calm = [
  ...["admission", "calls", "check-peer", "console", "joined-cluster", "policies", "scan", "scan-debian"],
  ...["scan-oracles", "scan-places", "scan-projects", "store-copy", "console/clusters", "console/network"],
  ...["console/policies", "console/posture", "kubernetes/api-server"],
].map((name) => `e2e/${name}.test.ts`);
const endToEnd = readdirSync(join(root, "e2e"), { recursive: true })
  .map((file) => `e2e/${file}`)
  .filter((file) => file.endsWith(".test.ts"));

const checked = step("check", ["scripts/check.ts"]);
const tested = tests("test", 2, ["{packages/*/*,apps/*}/src/**/*.test.ts", "deploy/**/*.test.ts", ...calm]);
// One after the other: they promise seconds to a person, and start whole products, clusters and browsers for it.
const proven = tests(
  "end to end",
  1,
  endToEnd.filter((file) => !calm.includes(file)),
);
process.exit(checked && tested && proven ? 0 : 1);
