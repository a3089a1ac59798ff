import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FileTree } from "./image.ts";
import { openRootfs } from "./rootfs.ts";

/**
 * A folder of source code: what `.gitignore` files leave out is left out, and so is `.git`, of which only the commit that
 * is checked out is told. No program is run for that: a repository may be hostile, and git does what its files say.
 */
export async function openRepository(path: string): Promise<FileTree> {
  const tree = await openRootfs(path, path);
  const commit = headOf(path);
  return {
    ...tree,
    content: { kind: "folder", root: path, passedOver: [], gitIgnore: true },
    ...(commit === undefined ? {} : { commit }),
  };
}

/** https://git-scm.com/docs/gitrepository-layout: HEAD, a loose ref, `packed-refs`, a worktree's `.git` file. */
function headOf(path: string): string | undefined {
  let folder = join(path, ".git");
  const pointer = /^gitdir: (.+)$/m.exec(textOf(folder) ?? "")?.[1];
  if (pointer !== undefined) folder = pointer.startsWith("/") ? pointer : join(path, pointer);
  const head = textOf(join(folder, "HEAD"))?.trim();
  if (head === undefined || isCommit(head)) return head;
  const ref = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1];
  if (ref === undefined || ref.includes("..")) return undefined;
  const common = textOf(join(folder, "commondir"))?.trim();
  for (const place of [folder, ...(common === undefined ? [] : [join(folder, common)])]) {
    const loose = textOf(join(place, ref))?.trim();
    if (loose !== undefined && isCommit(loose)) return loose;
    const line = textOf(join(place, "packed-refs"))
      ?.split("\n")
      .find((text) => text.endsWith(` ${ref}`));
    if (line !== undefined && isCommit(line.slice(0, line.indexOf(" ")))) return line.slice(0, line.indexOf(" "));
  }
  return undefined;
}

function isCommit(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

function textOf(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size < 16 * 1024 * 1024 ? readFileSync(path, "utf8") : undefined;
}
