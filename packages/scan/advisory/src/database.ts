import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { errorText } from "@bulwark/model/plain";
import { AdvisoryError } from "./error.ts";
import type { AffectedStatus } from "./feeds/feed.ts";
import type { Range } from "./ranges.ts";

/** Grows with every change of the tables, or of what a feed's file is read as: a database of another one is built anew. */
export const databaseVersion = 2;

export const tables = `
  create table meta (name text primary key, value text not null) without rowid;
  create table feeds (name text primary key, records integer not null, updated_at integer not null, error text not null,
    stamp text not null) without rowid;
  create table ecosystems (number integer primary key, name text not null unique);
  create table advisories (number integer primary key, id text not null, feed text not null, weaknesses text not null,
    summary text not null, published text, vector text, score real, links text not null);
  create table affected (ecosystem integer not null, package text not null, part integer not null,
    advisory integer not null, ranges text not null, versions text, status text not null, urgency text, module text,
    binaries text, primary key (ecosystem, package, part)) without rowid;
  create table ratings (cve text primary key, vector text not null, score real not null) without rowid;
  create table exploited (cve text primary key, added text not null) without rowid;
  create table epss (cve text primary key, probability real not null) without rowid;
`;

/** What an advisory says of one package of one ecosystem. */
export interface Entry {
  /** Number of the advisory in this database. */
  advisory: number;
  ranges: Range[];
  /** Versions that are affected by name, besides the ranges. */
  versions: string[];
  status: AffectedStatus;
  /** What the distribution or the registry thinks of it: Debian's `unimportant`, `Important`, … */
  urgency: string | null;
  /** `name:stream` of the module whose packages are meant; `*` where it is some module's. */
  module: string | null;
  /** Binary packages that have it; null where all of the source have. */
  binaries: string[] | null;
}

/** An advisory, without what it says of packages. */
export interface AdvisoryText {
  id: string;
  feed: string;
  /** What it is about: each weakness with every id under which it is known. */
  weaknesses: string[][];
  summary: string;
  published: string | null;
  cvss: Rating | null;
  links: string[];
}

/** A CVSS vector and the base score that follows from it. */
export interface Rating {
  vector: string;
  score: number;
}

/** An open advisory database. For reading only; any number of processes may. */
export interface AdvisoryDatabase extends Disposable {
  /** Names of the ecosystems of which anything is known: `Debian:12`, `PyPI`. */
  ecosystems: ReadonlySet<string>;
  /** What is said of a package; its name in the form that the ecosystem normalises to. */
  affected(ecosystem: string, packageName: string): Entry[];
  advisory(number: number): AdvisoryText;
  /** CVSS that any feed gives for a CVE. */
  rating(cve: string): Rating | undefined;
  isExploited(cve: string): boolean;
  /** Probability of exploitation within 30 days. */
  epss(cve: string): number | undefined;
}

/** Raises `AdvisoryError` `no-database` or `broken-database`. */
export function openDatabase(path: string): AdvisoryDatabase {
  const database = openFile(path);
  // The file is never changed in place: a newer database is another file.
  database.exec("pragma mmap_size = 4294967296; pragma cache_size = -16000");
  const numbers = new Map(
    database
      .prepare("select name, number from ecosystems")
      .all()
      .map((row) => [String(row["name"]), Number(row["number"])]),
  );
  const find = database.prepare(
    "select advisory, ranges, versions, status, urgency, module, binaries from affected where ecosystem = ? and package = ?",
  );
  find.setReturnArrays(true);
  const read = database.prepare("select * from advisories where number = ?");
  const rate = database.prepare("select vector, score from ratings where cve = ?");
  const exploit = database.prepare("select 1 from exploited where cve = ?");
  const predict = database.prepare("select probability from epss where cve = ?");
  return {
    ecosystems: new Set(numbers.keys()),
    affected(ecosystem, packageName) {
      const number = numbers.get(ecosystem);
      if (number === undefined) return [];
      return find.all(number, packageName).map((row) => toEntry(row as unknown as EntryRow));
    },
    advisory(number) {
      const row = read.get(number);
      if (!row) throw new AdvisoryError("broken-database", `${path}: no advisory ${number}`);
      return toAdvisory(row as unknown as AdvisoryRow);
    },
    rating: (cve) => rate.get(cve) as Rating | undefined,
    isExploited: (cve) => exploit.get(cve) !== undefined,
    epss: (cve) => (predict.get(cve) as { probability: number } | undefined)?.probability,
    [Symbol.dispose]: () => database.close(),
  };
}

export interface FeedStatus {
  name: string;
  records: number;
  /** Milliseconds since the epoch at which its records were read. */
  updatedAt: number;
  /** Why the last update could not read it; empty when it could. */
  error: string;
}

export interface DatabaseStatus {
  builtAt: number;
  advisories: number;
  exploited: number;
  feeds: FeedStatus[];
}

/** Age and content of a database. Raises `AdvisoryError`. */
export async function databaseStatus(path: string): Promise<DatabaseStatus> {
  const database = openFile(path);
  try {
    const number = (sql: string): number => Number(Object.values(database.prepare(sql).get() ?? { n: 0 })[0]);
    const feeds = database
      .prepare("select name, records, updated_at as updatedAt, error from feeds order by name")
      .all();
    return {
      builtAt: number("select value from meta where name = 'built_at'"),
      advisories: number("select count(*) from advisories"),
      exploited: number("select count(*) from exploited"),
      feeds: feeds as unknown as FeedStatus[],
    };
  } finally {
    database.close();
  }
}

function openFile(path: string): DatabaseSync {
  if (!existsSync(path)) {
    throw new AdvisoryError("no-database", `no advisory database at ${path}`, { remedy: "bulwark db update" });
  }
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const version = database.prepare("select value from meta where name = 'version'").get() as
      | { value: string }
      | undefined;
    if (version?.value === String(databaseVersion)) return database;
    throw new Error(`it is of version ${version?.value ?? "unknown"}, this Bulwark reads ${databaseVersion}`);
  } catch (error) {
    database?.close();
    throw new AdvisoryError("broken-database", `${path}: ${errorText(error)}`, {
      remedy: "bulwark db update",
      cause: error,
    });
  }
}

type EntryRow = [
  advisory: number,
  ranges: string,
  versions: string | null,
  status: AffectedStatus,
  urgency: string | null,
  module: string | null,
  binaries: string | null,
];
/** As `build` writes them: short, since they are most of the file. */
export type RangeTuple = [from: string | null, to: string | null, closed?: 1];

function toEntry([advisory, ranges, versions, status, urgency, module, binaries]: EntryRow): Entry {
  return {
    advisory,
    status,
    urgency,
    module,
    ranges: (JSON.parse(ranges) as RangeTuple[]).map(([from, to, closed]) => ({ from, to, closed: closed === 1 })),
    versions: versions === null ? [] : (JSON.parse(versions) as string[]),
    binaries: binaries === null ? null : (JSON.parse(binaries) as string[]),
  };
}

type AdvisoryRow = Pick<AdvisoryText, "id" | "feed" | "summary" | "published"> &
  Record<"weaknesses" | "links", string> & { vector: string | null; score: number | null };

function toAdvisory({ id, feed, summary, published, vector, score, weaknesses, links }: AdvisoryRow): AdvisoryText {
  return {
    id,
    feed,
    summary,
    published,
    weaknesses: JSON.parse(weaknesses) as string[][],
    cvss: vector === null || score === null ? null : { vector, score },
    links: JSON.parse(links) as string[],
  };
}
