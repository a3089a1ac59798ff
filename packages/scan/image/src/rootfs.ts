import { constants } from "node:fs";
import { lstat, open, readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorText, systemCode } from "@bulwark/model/plain";
import { ImageError } from "./error.ts";
import { kernelFolders } from "./folder.ts";
import type { FileTree, TreeFile } from "./image.ts";

const linksFollowed = 40;
const entriesLimit = 2_000_000;

/**
 * A folder that is somebody's root: unpacked, or of a running container (`/proc/PID/root`). It may be hostile and change
 * while we read: no link is ever followed by the kernel, only by us and only inside of the root; nothing but regular
 * files is opened, and never in a way that waits. Nobody sees `passedOver`: what is mounted from elsewhere.
 */
export async function openRootfs(root: string, name: string, passedOver: readonly string[] = []): Promise<FileTree> {
  const found = await stat(root).catch((error: unknown) => {
    const code = systemCode(error) === "EACCES" ? "denied" : "not-found";
    throw new ImageError(code, `${root}: ${errorText(error)}`, {
      remedy: "name a folder that can be read",
      cause: error,
    });
  });
  if (!found.isDirectory()) throw new ImageError("not-an-image", `${root} is no folder`);
  const passed = [...kernelFolders, ...passedOver];
  return {
    name,
    digest: null,
    source: "rootfs",
    content: { kind: "folder", root, passedOver: passed, gitIgnore: false },
    files: (wants) => walk(root, wants, new Set(passed)),
    async [Symbol.asyncDispose]() {},
  };
}

/** Asks for the paths that are wanted by name first; only a want that is a pattern needs the whole tree to be walked. */
async function* walk(
  root: string,
  wants: (path: string) => boolean,
  passedOver: ReadonlySet<string>,
): AsyncGenerator<TreeFile> {
  let entries = 0;
  const folders = [""];
  for (;;) {
    const folder = folders.pop();
    if (folder === undefined) return;
    const listed = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of listed) {
      if (++entries > entriesLimit) throw new ImageError("too-large", `${root} has more than ${entriesLimit} entries`);
      const path = `${folder}/${entry.name}`;
      if (passedOver.has(path)) continue;
      if (entry.isDirectory()) folders.push(path);
      else if (wants(path)) {
        const real = entry.isSymbolicLink() ? await resolveInside(root, path) : path;
        const file = real === undefined ? undefined : await fileAt(root, real, path);
        if (file) yield file;
      }
    }
  }
}

/** Where a path leads when every link is taken as if `root` were `/`. Undefined when it leads nowhere. */
async function resolveInside(root: string, path: string): Promise<string | undefined> {
  const parts = path.split("/").filter((part) => part !== "");
  let at: string[] = [];
  for (let links = 0; ;) {
    const part = parts.shift();
    if (part === undefined) return `/${at.join("/")}`;
    if (part === ".") continue;
    if (part === "..") {
      at.pop();
      continue;
    }
    const next = at.concat(part);
    const found = await lstat(join(root, ...next)).catch(() => undefined);
    if (!found) return undefined;
    if (!found.isSymbolicLink()) {
      at = next;
      continue;
    }
    if (++links > linksFollowed) return undefined;
    const target = await readlink(join(root, ...next)).catch(() => "");
    if (target.startsWith("/")) at = [];
    parts.unshift(...target.split("/").filter((text) => text !== ""));
  }
}

async function fileAt(root: string, path: string, name: string): Promise<TreeFile | undefined> {
  const found = await lstat(join(root, path)).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  return {
    path: name,
    size: found.size,
    mode: found.mode,
    layer: null,
    read: async (limit) => readFile(join(root, path), limit),
  };
}

async function readFile(path: string, limit: number): Promise<Buffer> {
  // O_NOFOLLOW and O_NONBLOCK: it may have become a link or a FIFO since we looked.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw new ImageError(systemCode(error) === "EACCES" ? "denied" : "not-found", errorText(error), { cause: error });
    },
  );
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new ImageError("broken", `${path} is no regular file any more`);
    if (found.size > limit)
      throw new ImageError("too-large", `${path}: ${found.size} bytes are above the limit of ${limit}`);
    const data = Buffer.alloc(found.size);
    const { bytesRead } = await file.read(data, 0, data.length, 0);
    return data.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
