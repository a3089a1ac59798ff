import { existsSync, globSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { errorText } from "@bulwark/model";
import type { Feed } from "./feeds/feed.ts";
import { feeds } from "./feeds/index.ts";

/** A file of a feed on this machine, or why there is none. */
export interface FeedFile {
  feed: Feed;
  /** Path below a mirror. */
  path: string;
  /** Where it lies; undefined when it could not be had. */
  file: string | undefined;
  error: string;
}

export interface SourceOptions {
  /** A folder or an address that is laid out like a mirror; the official addresses where it is absent. */
  from?: string | undefined;
  /** Downloads are kept here, so that what has not changed is not loaded again. */
  cache: string;
  onFile?: (path: string) => void;
  signal?: AbortSignal | undefined;
}

const downloadsAtOnce = 4;
const downloadTimeout = 300_000;
const tries = 3;

/** Brings every file of every feed onto this machine. Never raises: what cannot be had says why. */
export async function collect({ from, cache, onFile, signal }: SourceOptions): Promise<FeedFile[]> {
  if (from !== undefined && !/^https?:\/\//.test(from)) return fromFolder(from);
  const wanted = feeds.flatMap((feed) => feed.files.map((path) => ({ feed, path })));
  const found: FeedFile[] = [];
  const queue = [...wanted];
  async function worker(): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { feed, path } = next;
      const address = from === undefined ? feed.address(path) : `${from.replace(/\/$/, "")}/${path}`;
      const file = join(cache, path);
      const error = await download(address, file, signal);
      onFile?.(path);
      found.push({ feed, path, file: existsSync(file) ? file : undefined, error });
    }
  }
  await Promise.all(Array.from({ length: downloadsAtOnce }, worker));
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function fromFolder(folder: string): FeedFile[] {
  const paths = globSync("*/**/*.{zip,json}", { cwd: folder }).sort();
  return paths.flatMap((path) => {
    const feed = feeds.find((candidate) => candidate.has(path));
    return feed ? [{ feed, path, file: join(folder, path), error: "" }] : [];
  });
}

/** Empty when the file is now what the address has; else why not. An older copy stays where it is. */
async function download(address: string, file: string, signal: AbortSignal | undefined): Promise<string> {
  let problem = "";
  for (let attempt = 1; attempt <= tries; attempt++) {
    if (signal?.aborted) break;
    try {
      return await fetchInto(address, file, signal);
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      problem = `${address}: ${errorText(cause)}`;
      if (error instanceof RefusedError) break;
      await new Promise((resolve) => setTimeout(resolve, attempt * 500));
    }
  }
  return problem;
}

/** The server answered, and the answer is no: asking again would not help. */
class RefusedError extends Error {}

async function fetchInto(address: string, file: string, signal: AbortSignal | undefined): Promise<string> {
  const tag = existsSync(file) ? await readFile(`${file}.etag`, "utf8").catch(() => "") : "";
  const timeout = AbortSignal.timeout(downloadTimeout);
  const response = await fetch(address, {
    headers: tag === "" ? {} : { "if-none-match": tag },
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  if (response.status === 304) return "";
  if (!response.ok || !response.body) {
    if (response.status >= 500 || response.status === 429) throw new Error(`status ${response.status}`);
    throw new RefusedError(`status ${response.status}`);
  }
  await mkdir(dirname(file), { recursive: true });
  await rm(`${file}.etag`, { force: true });
  await pipeline(Readable.fromWeb(response.body), createWriteStream(`${file}.new`));
  await rename(`${file}.new`, file);
  const newTag = response.headers.get("etag");
  if (newTag) await writeFile(`${file}.etag`, newTag);
  return "";
}
