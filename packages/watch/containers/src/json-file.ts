import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";

/** Undefined for what is not there, too large, or no JSON: such as a container that is being made or removed right now. */
export async function readJson(path: string, limit = 4 * 1024 * 1024): Promise<unknown> {
  const text = await readText(path, limit);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The same without a wait, for what may be gone in a millisecond. */
export function readJsonNow(path: string, limit = 1024 * 1024): unknown {
  let file: number | undefined;
  try {
    file = openSync(path, nonBlockingRead);
    const found = fstatSync(file);
    if (!found.isFile() || found.size > limit) return undefined;
    const buffer = Buffer.alloc(found.size);
    return JSON.parse(buffer.toString("utf8", 0, readSync(file, buffer, 0, found.size, 0)));
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Undefined for what cannot be read or is no regular file of at most `limit` bytes. A pipe put in its place does not hang the reader. */
export async function readText(path: string, limit: number): Promise<string | undefined> {
  try {
    await using file = await open(path, nonBlockingRead);
    const { size } = await file.stat().then((stat) => (stat.isFile() ? stat : { size: Infinity }));
    if (size > limit) return undefined;
    // The kernel's own files say that they are empty.
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size || Math.min(limit, 4096)), position: 0 });
    return buffer.toString("utf8", 0, bytesRead);
  } catch {
    return undefined;
  }
}

const nonBlockingRead = 0o4000;
