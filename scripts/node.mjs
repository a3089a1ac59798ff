// Runs Node 24 with the arguments given: the one that npm installed, else this one if it is new enough.
import { spawnSync } from "node:child_process";
import { newNode } from "./lib/new-node.mjs";

const node = newNode();
if (node === undefined) {
  console.error("Node 24 is not installed yet. Run: npm run setup");
  process.exit(2);
}
const { status, signal } = spawnSync(node, ["--disable-warning=ExperimentalWarning", ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exit(signal ? 1 : (status ?? 1));
