import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compareVersions, type VersionScheme } from "./index.ts";

/** Files of the public suite and the order that each is about. */
const files: [file: string, scheme: VersionScheme][] = [
  ["alpine-versions.txt", "apk"],
  ["cran-versions.txt", "cran"],
  ["debian-versions.txt", "deb"],
  ["hackage-versions.txt", "hackage"],
  ["maven-versions.txt", "maven"],
  ["nuget-versions.txt", "nuget"],
  ["packagist-versions.txt", "composer"],
  ["pub-versions.txt", "pub"],
  ["pypi-versions.txt", "pep440"],
  ["redhat-versions.txt", "rpm"],
  ["rubygems-versions.txt", "gem"],
  ["semver-versions.txt", "semver"],
  ["semver-versions.txt", "go"],
];

/** Holds every line (`A < B`) of the suite against the orders, both ways round. */
export function versionsConformance(folder: string): { passed: number; failures: string[] } {
  let passed = 0;
  const failures: string[] = [];
  for (const [file, scheme] of files) {
    const path = join(folder, file);
    if (!existsSync(path)) {
      failures.push(`${path} is not there`);
      continue;
    }
    for (const line of readFileSync(path, "utf8").split("\n")) {
      const match = /^(.*?)\s+([<=>])\s+(.*)$/.exec(line);
      if (/^(#|\/\/)/.test(line) || !match) continue;
      const [, a = "", sign = "", b = ""] = match;
      const expected = { "<": -1, "=": 0, ">": 1 }[sign] ?? 0;
      const [there, back] = [compareVersions(scheme, a, b), compareVersions(scheme, b, a)].map(Math.sign);
      if (there === expected && (back ?? 0) + expected === 0) passed++;
      else failures.push(`${file}: ${line}`);
    }
  }
  return { passed, failures };
}
