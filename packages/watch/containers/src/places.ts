import { readdir } from "node:fs/promises";
import { join } from "node:path";

const placeLimit = 100;

/** The paths that a path with `*` (any one name) leads to now; one without it as it is, whether it is there or not. */
export async function expand(pattern: string): Promise<string[]> {
  let found = ["/"];
  let isFixed = true;
  for (const part of pattern.split("/").filter((name) => name !== "")) {
    if (part === "*") {
      const lists = await Promise.all(
        found.map(async (folder) => (await readdir(folder).catch(() => [])).map((name) => join(folder, name))),
      );
      found = lists.flat().slice(0, placeLimit);
      isFixed = false;
    } else found = found.map((folder) => join(folder, part));
  }
  return isFixed ? [pattern] : found;
}
