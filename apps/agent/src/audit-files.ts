import { createHash } from "node:crypto";
import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { systemCode } from "@bulwark/model";

/** One of an API server's audit logs. */
export interface LogFile {
  path: string;
  /** When it was rotated, as its name says; empty for the one that is written into. */
  name: string;
  inode: number;
  size: number;
}

/** One that stays readable, whatever becomes of its name. */
export interface OpenLog {
  handle: FileHandle;
  inode: number;
  packed: boolean;
  isBroken: boolean;
}

/** The first bytes of a file: it is known by them under another name, and packed, and when its inode is another's. */
export interface Head {
  length: number;
  hash: string;
}

export const headSize = 1024;
const chunkSize = 1024 * 1024;

/**
 * Oldest first, the one that is written into last, if it is there. The API server renames `audit.log` to
 * `audit-2026-01-02T15-04-05.000.log`, in UTC, and may pack it then into a file of that name and `.gz`.
 * Source: lumberjack.v2, backupName and compressLogFile
 */
export async function filesOf(file: string): Promise<LogFile[]> {
  const folder = dirname(file);
  const end = extname(file);
  const start = `${basename(file, end)}-`;
  const names = (await readdir(folder)).filter((name) => name.startsWith(start));
  const rotated = new Map<string, string>();
  // While it is packed, both are there, and the packed one is not whole.
  for (const name of names)
    if (name.endsWith(`${end}.gz`)) rotated.set(name.slice(start.length, -end.length - 3), name);
  for (const name of names)
    if (name.endsWith(end)) rotated.set(name.slice(start.length, -end.length || undefined), name);
  const paths = [...rotated].filter(([time]) => /^\d/.test(time)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const files: LogFile[] = [];
  for (const [name, path] of [
    ...paths.map(([time, found]) => [time, join(folder, found)] as const),
    ["", file] as const,
  ]) {
    const found = await stat(path).catch(notThere);
    if (found) files.push({ path, name, inode: found.ino, size: found.size });
  }
  return files;
}

export async function openLog({ path }: LogFile): Promise<OpenLog> {
  const handle = await open(path, "r");
  const { ino } = await handle.stat();
  return { handle, inode: ino, packed: path.endsWith(".gz"), isBroken: false };
}

/** What is in it from there on, until now. Raises where a packed one is broken. */
export async function* bytesOf({ handle, packed }: OpenLog, from: number): AsyncGenerator<Buffer> {
  if (!packed) {
    for (let at = from; ;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(chunkSize), 0, chunkSize, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
  let skip = from;
  const bytes = handle.createReadStream({ start: 0, autoClose: false }).pipe(createGunzip());
  for await (const chunk of bytes as Readable & AsyncIterable<Buffer>) {
    const rest = chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
    if (rest.length > 0) yield rest;
  }
}

export async function headOf(log: OpenLog, length = headSize): Promise<Head> {
  let head = Buffer.alloc(0);
  try {
    for await (const bytes of bytesOf(log, 0)) {
      head = Buffer.concat([head, bytes.subarray(0, length - head.length)]);
      if (head.length >= length) break;
    }
  } catch (error) {
    // Of a broken one what can be read: who reads the rest hears that it is broken.
    if (!log.packed) throw error;
  }
  return { length: head.length, hash: createHash("sha256").update(head).digest("hex") };
}

/** Of a file that was empty then, any may be what became of it: the first one that comes after it is. */
export async function hasHead(file: LogFile, { length, hash }: Head): Promise<boolean> {
  if (length === 0) return true;
  const log = await openLog(file);
  try {
    return (await headOf(log, length)).hash === hash;
  } finally {
    await log.handle.close();
  }
}

export function notThere(error: unknown): undefined {
  if (systemCode(error) === "ENOENT") return undefined;
  throw error;
}
