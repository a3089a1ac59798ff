import type { Root } from "../root.ts";

interface Names {
  users: ReadonlyMap<number, string>;
  groups: ReadonlyMap<number, string>;
}

const known = new WeakMap<Root, Names>();

/** Names of the host's own users and groups by their number. Read once. */
export function userNames(root: Root): Names {
  const before = known.get(root);
  if (before) return before;
  const names = { users: namesOf(root, "/etc/passwd"), groups: namesOf(root, "/etc/group") };
  known.set(root, names);
  return names;
}

/** `root:x:0:…`; the first name of a number is the one that `stat` shows. */
function namesOf(root: Root, path: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of (root.text(path) ?? "").split("\n")) {
    const [name = "", , number = ""] = line.split(":");
    if (/^\d+$/.test(number) && !names.has(Number(number))) names.set(Number(number), name);
  }
  return names;
}
