import type { Range } from "../ranges.ts";

/** What a feed says of one or several weaknesses, for the packages that it names. */
export interface Advisory {
  id: string;
  /**
   * The weaknesses that it is about, each with every id under which it is known. One for an advisory that is a record of
   * the weakness itself; several for a distribution's notice that mends many at once.
   */
  weaknesses: string[][];
  summary: string;
  published: string | null;
  /** CVSS, the best one that the record has. */
  vector: string | null;
  links: string[];
  affected: AffectedPackage[];
}

/** What is said of one package of one ecosystem. */
export interface AffectedPackage {
  ecosystem: string;
  package: string;
  ranges: Range[];
  /** Versions that are affected by name, besides the ranges. */
  versions: string[];
  /** `not-affected` beats whatever else is said; the two others tell why there is no fix. */
  status: AffectedStatus;
  /** What the distribution or the registry thinks of it: Debian's `unimportant`, Ubuntu's `medium`, `Important`. */
  urgency: string | null;
  /** `name:stream` of the module whose packages are meant, `*` where it is some module's and not told which. */
  module: string | null;
  /** Binary packages of the source package that have it; null where all have. */
  binaries: string[] | null;
}

export type AffectedStatus = "affected" | "not-affected" | "wont-fix" | "end-of-life";

/** What most entries do not have. */
export const plainEntry: Pick<AffectedPackage, "versions" | "status" | "urgency" | "module" | "binaries"> = {
  versions: [],
  status: "affected",
  urgency: null,
  module: null,
  binaries: null,
};

/** Where a feed puts what it reads. */
export interface Writer {
  advisory(advisory: Advisory): void;
  exploited(cve: string, added: string): void;
  /** Probability of exploitation within 30 days, 0 to 1. */
  epss(cve: string, probability: number): void;
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
