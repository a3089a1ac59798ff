/**
 * Reads a file of bbolt (https://github.com/etcd-io/bbolt, page.go and bucket.go): a tree of buckets, each of them a B+ tree
 * of keys in pages. Only what is asked for is read, and nothing is believed: pages are bounded by the file, and depth and
 * count by limits.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ImageError } from "./error.ts";

const magic = 0xed0cdaed;
const pageHeader = 16;
const bucketHeader = 16;
const elementSize = 16;
const depthLimit = 64;
const elementsLimit = 1_000_000;
/** bbolt's own pages are of the system's size, and what one needs more is in those that follow. */
const pageBytesLimit = 256 * 1024 * 1024;

const flags = { branch: 0x01, leaf: 0x02, meta: 0x04 };
/** Of an element of a leaf: it is a bucket. */
const isBucket = 0x01;

/** A bucket: names of buckets and of values, each in the order of their bytes. */
export interface Bucket {
  bucket(name: string): Bucket | undefined;
  value(name: string): Buffer | undefined;
  /** Names of the buckets in it. */
  buckets(): string[];
}

export interface BoltFile extends Disposable {
  root: Bucket;
}

/** Raises `ImageError` `broken`, here and wherever it is read, and the system's errors. */
export function openBolt(path: string): BoltFile {
  const file = openSync(path, "r");
  try {
    const pages = new Pages(path, file);
    return { root: bucketAt(pages, pages.root), [Symbol.dispose]: () => closeSync(file) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

class Pages {
  readonly #path: string;
  readonly #file: number;
  readonly #size: number;
  readonly #pageSize: number;
  /** Number of the page of the uppermost bucket. */
  readonly root: number;
  /** Elements that were read, whatever the shape of the tree. */
  #elements = 0;

  constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
    this.#size = fstatSync(file).size;
    this.#pageSize = 4096;
    // The first two pages tell the state after the last and the last but one transaction; the newer that is whole counts.
    const first = this.#metaAt(0);
    this.#pageSize = first?.pageSize ?? 4096;
    const second = this.#metaAt(this.#pageSize);
    const [newest] = [first, second]
      .filter((meta) => meta !== undefined)
      .toSorted((a, b) => (a.transaction < b.transaction ? 1 : -1));
    if (!newest) throw this.broken("it is no database of bbolt");
    this.#pageSize = newest.pageSize;
    this.root = newest.root;
  }

  /** A page with those that follow it and belong to it. */
  read(number: number): Buffer {
    const at = number * this.#pageSize;
    const header = this.#bytes(at, pageHeader);
    const length = (header.readUInt32LE(12) + 1) * this.#pageSize;
    if (length > pageBytesLimit) throw this.broken(`page ${number} is larger than any that is written`);
    return this.#bytes(at, length);
  }

  count(elements: number): void {
    this.#elements += elements;
    if (this.#elements > elementsLimit) throw this.broken(`more than ${elementsLimit} keys`);
  }

  broken(why: string): ImageError {
    return new ImageError("broken", `${this.#path}: ${why}`);
  }

  #bytes(at: number, length: number): Buffer {
    if (!Number.isSafeInteger(at + length) || at + length > this.#size) throw this.broken("it is cut off");
    const bytes = Buffer.alloc(length);
    if (readSync(this.#file, bytes, 0, length, at) !== length) throw this.broken("it is cut off");
    return bytes;
  }

  #metaAt(at: number): { pageSize: number; root: number; transaction: bigint } | undefined {
    if (at + pageHeader + 64 > this.#size) return undefined;
    const page = this.#bytes(at, pageHeader + 64);
    const meta = page.subarray(pageHeader);
    const pageSize = meta.readUInt32LE(8);
    if ((page.readUInt16LE(8) & flags.meta) === 0 || meta.readUInt32LE(0) !== magic || meta.readUInt32LE(4) !== 2) {
      return undefined;
    }
    if (pageSize < 512 || pageSize > 1024 * 1024 || meta.readBigUInt64LE(56) !== fnv64a(meta.subarray(0, 56))) {
      return undefined;
    }
    return { pageSize, root: Number(meta.readBigUInt64LE(16)), transaction: meta.readBigUInt64LE(48) };
  }
}

/** https://datatracker.ietf.org/doc/html/draft-eastlake-fnv: the checksum of a meta page. */
function fnv64a(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

function bucketAt(pages: Pages, page: number | Buffer): Bucket {
  const elements = new Map<string, Element>();
  let read = false;
  const all = (): Map<string, Element> => {
    if (!read) for (const element of elementsBelow(pages, page, 0)) elements.set(element.key, element);
    read = true;
    return elements;
  };
  return {
    bucket(name) {
      const element = all().get(name);
      return element && (element.flags & isBucket) !== 0 ? bucketOf(pages, element.value) : undefined;
    },
    value(name) {
      const element = all().get(name);
      return element && (element.flags & isBucket) === 0 ? element.value : undefined;
    },
    buckets: () => [...all().values()].filter((element) => (element.flags & isBucket) !== 0).map(({ key }) => key),
  };
}

/** A small bucket lies in its parent, behind its header. */
function bucketOf(pages: Pages, value: Buffer): Bucket {
  if (value.length < bucketHeader) throw pages.broken("a bucket is cut off");
  const root = Number(value.readBigUInt64LE(0));
  return bucketAt(pages, root === 0 ? value.subarray(bucketHeader) : root);
}

interface Element {
  key: string;
  value: Buffer;
  flags: number;
}

function* elementsBelow(pages: Pages, place: number | Buffer, depth: number): Generator<Element> {
  if (depth > depthLimit) throw pages.broken("its pages lead to each other");
  const page = typeof place === "number" ? pages.read(place) : place;
  const part = (at: number, length: number): Buffer => {
    if (at + length > page.length) throw pages.broken("a key lies outside of its page");
    return page.subarray(at, at + length);
  };
  const kind = part(8, 2).readUInt16LE(0);
  const count = part(10, 2).readUInt16LE(0);
  pages.count(count);
  for (let index = 0; index < count; index++) {
    const at = pageHeader + index * elementSize;
    const element = part(at, elementSize);
    if ((kind & flags.branch) !== 0) {
      yield* elementsBelow(pages, Number(element.readBigUInt64LE(8)), depth + 1);
    } else if ((kind & flags.leaf) !== 0) {
      const start = at + element.readUInt32LE(4);
      const keyLength = element.readUInt32LE(8);
      yield {
        key: part(start, keyLength).toString("utf8"),
        value: part(start + keyLength, element.readUInt32LE(12)),
        flags: element.readUInt32LE(0),
      };
    } else throw pages.broken("a page is neither branch nor leaf");
  }
}
