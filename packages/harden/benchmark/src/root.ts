import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
} from "node:fs";
import { join, posix } from "node:path";
import { BulwarkError, errorText, systemCode } from "@bulwark/model";

/** `unreadable`: it is there, or may be, and could not be looked at. What is not there is `undefined`, no error. */
export class RootError extends BulwarkError<"unreadable"> {}

/** A file of what is to be checked may be as large; what is longer is not read at all, so that nothing is judged by half. */
const sizeLimit = 4 * 1024 * 1024;
const entryLimit = 20_000;
/** As the kernel allows. */
const linkLimit = 40;

/** Files of a host, by their path there. Links lead to where they lead on that host, never out of its root. */
export interface Root {
  /** Where the host's root is mounted here: `/`, `/host`. */
  readonly path: string;
  /** The text; undefined where there is no such file. Raises `RootError`. */
  text(path: string): string | undefined;
  /** Of a file that is at most as long as the limit, 4 MB unless told. */
  bytes(path: string, limit?: number): Buffer | undefined;
  /** What is known of it, links followed unless told not to; undefined where it is not there. Raises `RootError`. */
  stat(path: string, options?: { link: boolean }): Stats | undefined;
  /** Names in a folder, in order; undefined where there is none. Raises `RootError`. */
  list(path: string): string[] | undefined;
  /** Where a link points, as it is written; undefined where it is none. */
  link(path: string): string | undefined;
  /** The same file without links in its path; undefined where it is not there. Raises `RootError`. */
  real(path: string): string | undefined;
}

/** A host's files below a folder. */
export function openRoot(path: string): Root {
  function at(place: string): string {
    return join(path, place);
  }

  function real(place: string, followLast = true): string | undefined {
    if (path === "/") return followLast ? guarded(place, () => realpathSync.native(place)) : posix.normalize(place);
    let left = posix.normalize(place).split("/").filter(Boolean);
    let done = "/";
    let links = 0;
    while (left.length > 0) {
      const [step = "", ...rest] = left;
      left = rest;
      const next = posix.join(done, step);
      const stats = lstatOf(at(next), next);
      if (!stats) return undefined;
      if (!stats.isSymbolicLink() || (left.length === 0 && !followLast)) {
        done = next;
        continue;
      }
      if (++links > linkLimit) throw new RootError("unreadable", `${place}: too many links`);
      const target = readlinkSync(at(next));
      left = [...posix.resolve(done, target).split("/").filter(Boolean), ...left];
      done = "/";
    }
    return done;
  }

  function bytes(place: string, limit = sizeLimit): Buffer | undefined {
    const found = real(place);
    if (found === undefined) return undefined;
    return guarded(place, () => {
      const file = openSync(at(found), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
      try {
        if (!fstatSync(file).isFile()) throw new RootError("unreadable", `${place}: not a file`);
        return readAll(file, place, limit);
      } finally {
        closeSync(file);
      }
    });
  }

  return {
    path,
    bytes,
    real: (place) => real(place),
    text: (place) => bytes(place)?.toString("utf8"),
    stat(place, { link } = { link: false }) {
      const found = real(place, !link);
      return found === undefined ? undefined : lstatOf(at(found), place);
    },
    list(place) {
      const found = real(place);
      if (found === undefined || !lstatOf(at(found), place)?.isDirectory()) return undefined;
      const names = guarded(place, () => readdirSync(at(found)));
      if (names && names.length > entryLimit) {
        throw new RootError("unreadable", `${place}: ${names.length} entries; at most ${entryLimit} are read`);
      }
      return names?.toSorted();
    },
    link(place) {
      const found = real(place, false);
      if (found === undefined || lstatOf(at(found), place)?.isSymbolicLink() !== true) return undefined;
      return guarded(place, () => readlinkSync(at(found)));
    },
  };
}

function lstatOf(path: string, name: string): Stats | undefined {
  return guarded(name, () => lstatSync(path));
}

/** Undefined where it is not there, and a `RootError` for every other failure. */
function guarded<T>(name: string, look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof RootError) throw error;
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new RootError("unreadable", `${name}: ${reasons[code ?? ""] ?? errorText(error)}`, { cause: error });
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "no right to read it",
  EPERM: "no right to read it",
  EIO: "the kernel could not read it",
  ELOOP: "too many links",
};

/** Files of /proc say that they are empty: read until there is no more. Of others the first part is all, and is not copied. */
function readAll(file: number, name: string, limit: number): Buffer {
  const parts: Buffer[] = [];
  let size = 0;
  for (let next = Math.max(fstatSync(file).size + 1, 65_536); ; next = 65_536) {
    if (next > limit + 65_536) throw tooLarge(name, limit);
    const part = Buffer.alloc(next);
    let count = 0;
    // A read may give less than there is.
    for (let got = 1; got > 0 && count < next; count += got) got = readSync(file, part, count, next - count, null);
    parts.push(part.subarray(0, count));
    size += count;
    if (size > limit) throw tooLarge(name, limit);
    if (count < next) return parts.length === 1 ? (parts[0] ?? part) : Buffer.concat(parts, size);
  }
}

function tooLarge(name: string, limit: number): RootError {
  return new RootError("unreadable", `${name}: larger than ${limit} bytes`);
}
