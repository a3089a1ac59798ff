import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { errorText } from "@bulwark/model";
import { AdvisoryError } from "./error.ts";
import type { Range } from "./osv.ts";

/** Grows with every change of the tables: a database of another one is built anew. */
export const databaseVersion = 1;

export const tables = `
  create table meta (name text primary key, value text not null) without rowid;
  create table feeds (name text primary key, records integer not null, updated_at integer not null, error text not null) without rowid;
  create table advisories (number integer primary key, id text not null, feed text not null, cves text not null,
    aliases text not null, summary text not null, published text, vector text, urgency text, links text not null);
  create table affected (ecosystem text not null, package text not null, advisory integer not null, ranges text not null,
    versions text not null);
  create table ratings (cve text primary key, vector text not null) without rowid;
  create table exploited (cve text primary key, added text not null) without rowid;
`;
/** Made after the rows are in: faster than keeping them up. */
export const indexes = "create index affected_package on affected (ecosystem, package);";

/** One advisory that names a package of one release. */
export interface Candidate {
  id: string;
  feed: string;
  /** What the advisory is about; empty where it has no CVE. */
  cves: string[];
  aliases: string[];
  summary: string;
  published: string | null;
  vector: string | null;
  /** What the distribution thinks of it: Debian's `unimportant`, `low`, … */
  urgency: string | null;
  links: string[];
  ranges: Range[];
  /** Versions that are affected by name, besides the ranges. */
  versions: string[];
}

/** An open advisory database. For reading only; any number of processes may. */
export interface AdvisoryDatabase extends Disposable {
  candidates(ecosystem: string, packageName: string): Candidate[];
  /** CVSS vector that any feed gives for a CVE. */
  rating(cve: string): string | undefined;
  isExploited(cve: string): boolean;
}

/** Raises `AdvisoryError` `no-database` or `broken-database`. */
export function openDatabase(path: string): AdvisoryDatabase {
  const database = openFile(path);
  const find = database.prepare(
    "select a.*, f.ranges, f.versions from affected f join advisories a on a.number = f.advisory where f.ecosystem = ? and f.package = ?",
  );
  const rate = database.prepare("select vector from ratings where cve = ?");
  const exploit = database.prepare("select 1 from exploited where cve = ?");
  return {
    candidates: (ecosystem, packageName) =>
      find.all(ecosystem, packageName).map((row) => toCandidate(row as unknown as Row)),
    rating: (cve) => (rate.get(cve) as { vector: string } | undefined)?.vector,
    isExploited: (cve) => exploit.get(cve) !== undefined,
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

type Row = Record<"cves" | "aliases" | "links" | "ranges" | "versions", string> &
  Pick<Candidate, "id" | "feed" | "summary" | "published" | "vector" | "urgency">;

function toCandidate({ id, feed, summary, published, vector, urgency, ...lists }: Row): Candidate {
  return {
    id,
    feed,
    summary,
    published,
    vector,
    urgency,
    cves: JSON.parse(lists.cves) as string[],
    aliases: JSON.parse(lists.aliases) as string[],
    links: JSON.parse(lists.links) as string[],
    ranges: JSON.parse(lists.ranges) as Range[],
    versions: JSON.parse(lists.versions) as string[],
  };
}
