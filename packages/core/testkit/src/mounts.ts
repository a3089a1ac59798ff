import { readFileSync } from "node:fs";
import { run } from "./process.ts";

/** Takes off every mount below a folder, the last one first. What a fixture has left behind would keep it from being removed, or worse: be removed with it. */
export function unmountBelow(folder: string): void {
  const targets = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((target) => target.startsWith(`${folder}/`));
  for (const target of targets.toReversed()) run("umount", ["-l", target]);
}
