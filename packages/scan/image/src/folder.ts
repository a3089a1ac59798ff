import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { errorText, systemCode } from "@bulwark/model/plain";
import type { AnyAnalyzer, TreeEntry, TreeFault } from "./analyzer.ts";
import { GitIgnore } from "./git-ignore.ts";
import { examineFile, interestIn, type FileFacts } from "./file-facts.ts";

/** A folder that is the root of a tree: unpacked, of a running container, or of this machine. */
export interface Folder {
  kind: "folder";
  root: string;
  /** Folders and files inside that are not of it: what the kernel makes, what is mounted from elsewhere. */
  passedOver: string[];
  /** Leave out what `.gitignore` files name, and `.git` itself. */
  gitIgnore: boolean;
}

/** Regular files of one folder of the tree. */
export interface FolderBatch {
  /** Inside the tree; empty for its root. */
  folder: string;
  names: string[];
}

/** What the files of a batch say. */
export interface BatchFacts {
  files: FileFacts[];
  osRelease: [path: string, text: string][];
}

const entriesLimit = 5_000_000;
const depthLimit = 256;

/** Made by the kernel in every root file system. */
export const kernelFolders = ["/proc", "/sys", "/dev"];

/**
 * All folders of a tree with their regular files. No link is followed. Folders that cannot be read are told in `faults`.
 */
export function* walkFolder({ root, passedOver, gitIgnore }: Folder, faults: TreeFault[]): Generator<FolderBatch> {
  const skipped = new Set(passedOver);
  const ignored = gitIgnore ? new GitIgnore(root) : undefined;
  const waiting = [""];
  const unreadable: string[] = [];
  let entries = 0;
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const names: string[] = [];
    try {
      using opened = openFolder(root, folder);
      ignored?.enter(folder, opened.path);
      for (const entry of readdirSync(opened.path, { withFileTypes: true })) {
        entries++;
        const path = `${folder}/${entry.name}`;
        const isFolder = entry.isDirectory();
        if (skipped.has(path) || (!isFolder && !entry.isFile()) || ignored?.ignores(path, isFolder) === true) continue;
        if (isFolder) waiting.push(path);
        else names.push(entry.name);
      }
    } catch (error) {
      // It is gone meanwhile, as on a machine that lives.
      if (systemCode(error) !== "ENOENT" || folder === "") unreadable.push(`${folder || "/"}: ${errorText(error)}`);
    }
    if (names.length > 0) yield { folder, names };
    if (entries > entriesLimit || folder.split("/").length > depthLimit) {
      faults.push({
        layer: null,
        message: `more than ${entriesLimit} entries or ${depthLimit} levels: the rest is not examined`,
      });
      break;
    }
  }
  const [first] = unreadable;
  if (first !== undefined)
    faults.push({
      layer: null,
      message: `${unreadable.length} folders could not be read; the first is ${first}`,
    });
}

/** Examines the files of a batch. Files that are gone meanwhile are passed over. */
export function examineBatch(
  { root }: Folder,
  { folder, names }: FolderBatch,
  analyzers: readonly AnyAnalyzer[],
): BatchFacts {
  const found: BatchFacts = { files: [], osRelease: [] };
  let opened: OpenFolder;
  try {
    opened = openFolder(root, folder);
  } catch {
    return found;
  }
  try {
    for (const name of names) {
      const path = `${folder}/${name}`;
      const entry = entryAt(`${opened.path}/${name}`, path);
      const interest = entry ? interestIn(analyzers, entry) : undefined;
      if (!entry || !interest) continue;
      let content: Buffer | string = "";
      if (interest.read) {
        try {
          content = readRegular(`${opened.path}/${name}`, entry.size);
        } catch (error) {
          if (systemCode(error) === "ENOENT") continue;
          content = errorText(error);
        }
      }
      if (interest.osRelease && typeof content !== "string") found.osRelease.push([path, content.toString("utf8")]);
      const facts = examineFile(interest.wanting, entry, content);
      if (facts) found.files.push(facts);
    }
    return found;
  } finally {
    opened[Symbol.dispose]();
  }
}

function entryAt(place: string, path: string): TreeEntry | undefined {
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (!found?.isFile()) return undefined;
  return { path, size: found.size, mode: found.mode & 0o7777, uid: found.uid, gid: found.gid, layer: null };
}

/** O_NOFOLLOW and O_NONBLOCK: it may have become a link or a FIFO since we looked. */
function readRegular(place: string, size: number): Buffer {
  const file = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) throw new Error("it is no regular file any more");
    const data = Buffer.allocUnsafe(size);
    let length = 0;
    for (let read = -1; read !== 0 && length < size; length += read)
      read = readSync(file, data, length, size - length, length);
    return data.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

interface OpenFolder extends Disposable {
  /** A path that leads to the opened folder, whatever happens to its name. */
  path: string;
}

/**
 * Opens a folder of the tree one level after the other without following a link, so that a tree that changes meanwhile
 * cannot lead us out (openat(2) by way of /proc/self/fd). Raises the system's error.
 */
function openFolder(root: string, folder: string): OpenFolder {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  let file = openSync(root, flags);
  try {
    for (const part of folder.split("/").filter((name) => name !== "")) {
      const next = openSync(`/proc/self/fd/${file}/${part}`, flags | constants.O_NOFOLLOW);
      closeSync(file);
      file = next;
    }
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return { path: `/proc/self/fd/${file}`, [Symbol.dispose]: () => closeSync(file) };
}
