import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { download } from "./download.ts";
import type { Feed } from "./feeds/feed.ts";
import { feeds } from "./feeds/index.ts";

/** A file of a feed on this machine, or why there is none. */
export interface FeedFile {
  feed: Feed;
  /** Path below a mirror. */
  path: string;
  /** Where it lies; undefined when it could not be had. */
  file: string | undefined;
  /** Size and time of the file: another stamp is another content. Empty where there is no file. */
  stamp: string;
  error: string;
}

export interface SourceOptions {
  /** A folder or an address that is laid out like a mirror; the official addresses where it is absent. */
  from?: string | undefined;
  /** Downloads are kept here, so that what has not changed is not loaded again. */
  cache: string;
  onProgress?: (text: string) => void;
  signal?: AbortSignal | undefined;
}

const downloadsAtOnce = 6;

/** Brings every file of every feed onto this machine. Never raises: what cannot be had says why. */
export async function collect({ from, cache, onProgress, signal }: SourceOptions): Promise<FeedFile[]> {
  if (from !== undefined && !/^https?:\/\//.test(from)) return fromFolder(from);
  const wanted = feeds.flatMap((feed) => feed.files.map((path) => ({ feed, path })));
  const found: FeedFile[] = [];
  const queue = [...wanted];
  async function worker(): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { feed, path } = next;
      const address = from === undefined ? feed.address(path) : `${from.replace(/\/$/, "")}/${path}`;
      const file = join(cache, path);
      const error = await download(address, file, reporter(path, onProgress), signal);
      found.push({ feed, path, ...placed(file), error });
      onProgress?.(`${found.length} of ${wanted.length}: ${path}`);
    }
  }
  await Promise.all(Array.from({ length: downloadsAtOnce }, worker));
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Tells of every further megabyte. */
function reporter(
  path: string,
  onProgress: ((text: string) => void) | undefined,
): (received: number, total: number | undefined) => void {
  const megabytes = (bytes: number): number => Math.floor(bytes / 1024 ** 2);
  let told = 0;
  return (received, total) => {
    if (megabytes(received) === told) return;
    told = megabytes(received);
    onProgress?.(`${path}: ${told}${total === undefined ? "" : ` of ${megabytes(total)}`} MB`);
  };
}

function fromFolder(folder: string): FeedFile[] {
  const paths = globSync("*/**/*.{zip,json,gz}", { cwd: folder }).sort();
  return paths.flatMap((path) => {
    const feed = feeds.find((candidate) => candidate.has(path));
    return feed ? [{ feed, path, ...placed(join(folder, path)), error: "" }] : [];
  });
}

function placed(file: string): Pick<FeedFile, "file" | "stamp"> {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) return { file: undefined, stamp: "" };
  return { file, stamp: `${found.size}-${found.mtimeMs}` };
}
