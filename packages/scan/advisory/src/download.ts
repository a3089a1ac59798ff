import { createWriteStream, statSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { errorText } from "@bulwark/model/plain";

const tries = 4;
/** Without a byte for so long, the connection is given up. */
const stallTimeout = 60_000;
const sizeLimit = 8 * 1024 ** 3;
const longestWait = 60_000;

/** How a download gets on. `total` is undefined where the server does not say. */
export type OnBytes = (received: number, total: number | undefined) => void;

/**
 * Brings a file to what its address has, if that has changed since (ETag, Last-Modified). What a broken connection left
 * is gone on with. Empty when it is done, else why not; an older copy stays where it is.
 */
export async function download(
  address: string,
  file: string,
  onBytes: OnBytes = () => {},
  signal?: AbortSignal,
): Promise<string> {
  let problem = "";
  for (let attempt = 1; attempt <= tries; attempt++) {
    if (signal?.aborted) break;
    try {
      await fetchInto(address, file, onBytes, signal);
      return "";
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      problem = `${address}: ${errorText(cause)}`;
      if (error instanceof RefusedError) break;
      const wait = error instanceof BusyError ? error.wait : attempt * 500;
      if (attempt < tries) await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return problem;
}

/** The server answered, and the answer is no: asking again would not help. */
class RefusedError extends Error {}

/** The server asks to come back later. */
class BusyError extends Error {
  readonly wait: number;
  constructor(status: number, retryAfter: string | null) {
    super(`status ${status}`);
    const seconds = Number(retryAfter ?? Number.NaN);
    this.wait = Number.isFinite(seconds) ? Math.min(seconds * 1000, longestWait) : 2000;
  }
}

/** What tells whether the address has something else now. */
interface Validators {
  etag: string;
  modified: string;
}

async function fetchInto(
  address: string,
  file: string,
  onBytes: OnBytes,
  signal: AbortSignal | undefined,
): Promise<void> {
  const part = `${file}.part`;
  const known = sizeOf(file) === undefined ? undefined : await readValidators(file);
  const begun = await readValidators(part);
  const have = begun ? (sizeOf(part) ?? 0) : 0;
  const stall = new AbortController();
  const response = await fetch(address, {
    headers: {
      // A coded body has no bytes to go on from.
      "accept-encoding": "identity",
      ...(known && conditions(known)),
      ...(begun && have > 0 && { range: `bytes=${have}-`, "if-range": begun.etag || begun.modified }),
    },
    signal: AbortSignal.any([stall.signal, AbortSignal.timeout(24 * 3_600_000), ...(signal ? [signal] : [])]),
  });
  if (response.status === 304) return;
  if (response.status === 429 || response.status >= 500) {
    throw new BusyError(response.status, response.headers.get("retry-after"));
  }
  if (response.status === 416) await forget(part);
  if (response.status === 416) throw new Error("the part that was there does not fit");
  if (!response.ok || !response.body) throw new RefusedError(`status ${response.status}`);

  const goesOn = response.status === 206;
  await mkdir(dirname(file), { recursive: true });
  const validators = {
    etag: response.headers.get("etag") ?? "",
    modified: response.headers.get("last-modified") ?? "",
  };
  if (!goesOn) await forget(part);
  // A weak tag does not promise the same bytes: no going on from there.
  if (validators.modified !== "" || (validators.etag !== "" && !validators.etag.startsWith("W/"))) {
    await writeFile(`${part}.http`, JSON.stringify(validators));
  }
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const start = goesOn ? have : 0;
  await pipeline(
    Readable.fromWeb(response.body),
    meter(start, Number.isFinite(length) ? start + length : undefined, onBytes, stall),
    createWriteStream(part, { flags: goesOn ? "a" : "w" }),
  );
  await rm(`${file}.http`, { force: true });
  await rename(part, file);
  await writeFile(`${file}.http`, JSON.stringify(validators));
  await rm(`${part}.http`, { force: true });
}

/** Counts, says how far it is, and gives up a connection that is silent or a body that does not end. */
function meter(start: number, total: number | undefined, onBytes: OnBytes, stall: AbortController): Transform {
  let received = start;
  const giveUp = (): void => stall.abort(new Error("nothing came for a minute"));
  let timer = setTimeout(giveUp, stallTimeout);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, stallTimeout);
      received += chunk.length;
      onBytes(received, total);
      done(received > sizeLimit ? new RefusedError(`larger than ${sizeLimit} bytes`) : null, chunk);
    },
    flush(done) {
      done(total !== undefined && received < total ? new Error(`it ends after ${received} of ${total} bytes`) : null);
    },
    destroy(error, done) {
      clearTimeout(timer);
      done(error);
    },
  });
}

function conditions({ etag, modified }: Validators): Record<string, string> {
  return {
    ...(etag !== "" && { "if-none-match": etag }),
    ...(modified !== "" && { "if-modified-since": modified }),
  };
}

async function readValidators(file: string): Promise<Validators | undefined> {
  try {
    const value = JSON.parse(await readFile(`${file}.http`, "utf8")) as Partial<Validators> | null;
    return { etag: value?.etag ?? "", modified: value?.modified ?? "" };
  } catch {
    // Absent or cut: the file is asked for anew.
    return undefined;
  }
}

async function forget(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.http`, { force: true });
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
