import type { Range } from "../osv.ts";

/** What a feed says of one weakness, for the packages that it names. */
export interface Advisory {
  id: string;
  cves: string[];
  aliases: string[];
  summary: string;
  published: string | null;
  vector: string | null;
  urgency: string | null;
  links: string[];
  /** An entry without ranges and versions says that the package is not affected. */
  affected: { ecosystem: string; package: string; ranges: Range[]; versions: string[] }[];
}

/** Where a feed puts what it reads. */
export interface Writer {
  advisory(advisory: Advisory): void;
  exploited(cve: string, added: string): void;
}

/** One kind of public feed. A new one is a file beside this and a line in the index. */
export interface Feed {
  /** Files of this kind, by their path below a mirror. */
  files: readonly string[];
  /** Is a file that a mirror has one of this kind? */
  has(path: string): boolean;
  /** Name of the feed that a file is, as reports show it. */
  nameOf(path: string): string;
  /** Official address of a file. */
  address(path: string): string;
  /** Reads one file; raises when it cannot be read to its end. Answers with the number of records. */
  load(file: string, path: string, writer: Writer): Promise<number>;
}

/** Lists of at most so much, so that one odd record does not fill the database. */
export const linksKept = 20;
export const summaryLength = 2000;

const cve = /^CVE-\d{4}-\d{4,19}$/;
export function isCve(id: string): boolean {
  return cve.test(id);
}
