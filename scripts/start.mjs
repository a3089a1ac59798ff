// `npm start`: set up what is missing, then guard this machine.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./lib/new-node.mjs";
import { setup } from "./setup.mjs";

if (!setup()) process.exit(2);
const up = spawn(join(root, "bin/bulwark"), ["up", ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => up.kill(signal));
up.on("exit", (code, signal) => process.exit(signal ? 1 : code));
