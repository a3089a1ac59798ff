import { compareNumberLists } from "./number-list.ts";

/**
 * CRAN: R's `package_version`. Numbers between points and hyphens, which weigh the same; the longer list is the greater.
 * What is no number comes before every number.
 */
export function compareCran(a: string, b: string): number {
  return compareNumberLists(split(a), split(b));
}

function split(version: string): string[] {
  return version
    .trim()
    .split(/[.-]/)
    .filter((part) => part !== "");
}
