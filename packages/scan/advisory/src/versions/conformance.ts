import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compareVersions, type VersionScheme } from "./index.ts";

/** Files of the public suite and the order that each is about. */
const files: [file: string, scheme: VersionScheme][] = [
  ["alpine-versions.txt", "apk"],
  ["debian-versions.txt", "deb"],
];

/** Holds every line (`A < B`) of the suite against the orders, both ways round. */
export function versionsConformance(folder: string): { passed: number; failures: string[] } {
  let passed = 0;
  const failures: string[] = [];
  for (const [file, scheme] of files) {
    const path = join(folder, file);
    if (!existsSync(path)) failures.push(`${path} is not there`);
    else {
      for (const line of readFileSync(path, "utf8").split("\n")) {
        const match = /^(.*?)\s+([<=>])\s+(.*)$/.exec(line);
        if (line.startsWith("#") || !match) continue;
        const [, a = "", sign = "", b = ""] = match;
        const expected = { "<": -1, "=": 0, ">": 1 }[sign] ?? 0;
        const right =
          Math.sign(compareVersions(scheme, a, b)) === expected &&
          Math.sign(compareVersions(scheme, b, a)) === -expected + 0;
        if (right) passed++;
        else failures.push(`${file}: ${line}`);
      }
    }
  }
  return { passed, failures };
}
