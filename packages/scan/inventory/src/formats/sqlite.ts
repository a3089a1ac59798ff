import { FormatError, partsOf, slice } from "./bytes.ts";

const magic = "SQLite format 3\0";
const pageTypes = { interior: 0x05, leaf: 0x0d } as const;
/** No b-tree that is honest is deeper: 2^64 rows fit in far less. */
const depthLimit = 40;

/** What SQLite stores in a column. */
type SqliteValue = null | number | bigint | string | Buffer;

export interface SqliteRow {
  rowid: bigint;
  values: SqliteValue[];
}

/**
 * The rows of one table of a SQLite database, straight from its bytes: nothing is written to disk, no SQL of the file is
 * run. Read by https://www.sqlite.org/fileformat.html. A write-ahead log beside the file is not looked at.
 * Undefined where the database has no such table. Raises `FormatError`.
 */
export function sqliteTable(file: Buffer, table: string): Generator<SqliteRow> | undefined {
  const database = openPages(file);
  for (const { values } of rows(database, 1, new Set())) {
    const [type, name, , root] = values;
    if (type === "table" && name === table && typeof root === "number") return rows(database, root, new Set());
  }
  return undefined;
}

interface Database {
  file: Buffer;
  pageSize: number;
  /** Bytes of a page that are used. */
  usable: number;
  part(bytes: number): void;
}

function openPages(file: Buffer): Database {
  if (file.length < 100 || file.toString("latin1", 0, 16) !== magic) throw new FormatError("no SQLite database");
  const stored = file.readUInt16BE(16);
  const pageSize = stored === 1 ? 65_536 : stored;
  const usable = pageSize - (file[20] ?? 0);
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0 || usable < 480)
    throw new FormatError(`a SQLite database with pages of ${pageSize} bytes`);
  if (file.readUInt32BE(56) > 1) throw new FormatError("a SQLite database with texts in UTF-16");
  return { file, pageSize, usable, part: partsOf(file) };
}

function page({ file, pageSize }: Database, number: number): Buffer {
  return slice(file, (number - 1) * pageSize, pageSize, `page ${number}`);
}

/** In order of rowid. `seen`: pages on the way, so that no page leads to itself. */
function* rows(database: Database, number: number, seen: Set<number>, depth = 0): Generator<SqliteRow> {
  if (depth > depthLimit) throw new FormatError("a SQLite table that is too deep");
  if (seen.has(number)) throw new FormatError(`page ${number} stands twice in the same table`);
  seen.add(number);
  const data = page(database, number);
  const header = number === 1 ? 100 : 0;
  const type = data[header];
  const cells = data.readUInt16BE(header + 3);
  const pointers = header + (type === pageTypes.interior ? 12 : 8);
  slice(data, pointers, cells * 2, `page ${number}'s cells`);
  for (let cell = 0; cell < cells; cell++) {
    const at = data.readUInt16BE(pointers + cell * 2);
    if (type === pageTypes.leaf) yield row(database, data, at);
    else if (type === pageTypes.interior)
      yield* rows(database, slice(data, at, 4, "cell").readUInt32BE(0), seen, depth + 1);
    else throw new FormatError(`page ${number} is of no table`);
  }
  if (type === pageTypes.interior) yield* rows(database, data.readUInt32BE(header + 8), seen, depth + 1);
}

function row(database: Database, data: Buffer, at: number): SqliteRow {
  const length = varint(data, at);
  const rowid = varint(data, length.next);
  const payload = payloadOf(database, data, rowid.next, Number(length.value));
  return { rowid: BigInt.asIntN(64, rowid.value), values: record(payload) };
}

/** What does not fit on the page goes on in a chain of overflow pages. */
function payloadOf(database: Database, data: Buffer, at: number, length: number): Buffer {
  const { usable } = database;
  database.part(length);
  const most = usable - 35;
  if (length <= most) return slice(data, at, length, "row");
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((length - least) % (usable - 4));
  const here = fitting <= most ? fitting : least;
  const parts = [slice(data, at, here, "row")];
  let next = slice(data, at + here, 4, "row").readUInt32BE(0);
  for (let left = length - here; left > 0;) {
    const overflow = page(database, next);
    const part = overflow.subarray(4, 4 + Math.min(left, usable - 4));
    parts.push(part);
    left -= part.length;
    next = overflow.readUInt32BE(0);
  }
  return Buffer.concat(parts, length);
}

function record(payload: Buffer): SqliteValue[] {
  const header = varint(payload, 0);
  const end = Number(header.value);
  if (end > payload.length) throw new FormatError("a row that is shorter than its header");
  const values: SqliteValue[] = [];
  let body = end;
  for (let at = header.next; at < end;) {
    const type = varint(payload, at);
    at = type.next;
    const size = sizeOf(type.value);
    values.push(value(type.value, slice(payload, body, size, "column")));
    body += size;
  }
  return values;
}

const integerSizes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function sizeOf(type: bigint): number {
  if (type < 10n) return integerSizes[Number(type)] ?? 0;
  if (type < 12n) throw new FormatError("a column of a type that is not in use");
  return Number((type - 12n) / 2n);
}

function value(type: bigint, bytes: Buffer): SqliteValue {
  if (type >= 12n) return type % 2n === 0n ? bytes : bytes.toString("utf8");
  switch (Number(type)) {
    case 0:
      return null;
    case 6:
      return bytes.readBigInt64BE(0);
    case 7:
      return bytes.readDoubleBE(0);
    case 8:
      return 0;
    case 9:
      return 1;
    default:
      return bytes.readIntBE(0, bytes.length);
  }
}

/** Seven bits a byte, the ninth byte whole. */
function varint(data: Buffer, at: number): { value: bigint; next: number } {
  let value = 0n;
  for (let read = 0; read < 9; read++) {
    const byte = data[at + read];
    if (byte === undefined) throw new FormatError("a number that is cut off");
    if (read === 8) return { value: (value << 8n) | BigInt(byte), next: at + 9 };
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) return { value, next: at + read + 1 };
  }
  throw new FormatError("unreachable");
}
