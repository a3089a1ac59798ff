import { compareNumberLists } from "./number-list.ts";

/**
 * Hackage: Haskell's `Data.Version`, lists of numbers in the order of lists, so that `1.0` comes before `1.0.0`. Tags behind
 * a hyphen are not compared, as Cabal ignores them. What is no number comes before every number.
 */
export function compareHackage(a: string, b: string): number {
  return compareNumberLists(split(a), split(b));
}

function split(version: string): string[] {
  const text = version.trim();
  const dash = text.indexOf("-");
  return (dash < 0 ? text : text.slice(0, dash)).split(".").filter((part) => part !== "");
}
