import type { DatabaseSync } from "node:sqlite";
import { cvssScore } from "./cvss.ts";
import type { RangeTuple } from "./database.ts";
import { ecosystemKey, ecosystemOf } from "./ecosystems.ts";
import { isCve, type Advisory, type AffectedPackage, type Writer } from "./feeds/feed.ts";

/** What is written of a database while it is built. */
export interface Rows {
  writer(feed: string): Writer;
  /** A place to go back to: no journal is kept, so that there is no rollback. */
  mark(): number;
  /** Takes out again what a broken file has brought. */
  removeFrom(mark: number, feed: string): void;
  /** Copies what the attached `old` database has of a feed. */
  takeOver(feed: string): void;
  /** Puts everything in the order in which it is asked for. */
  finish(): void;
}

/** Feeds that have a table of their own instead of advisories. */
const own = { "cisa-kev": "exploited", epss: "epss" } as Readonly<Record<string, string>>;

export function newRows(database: DatabaseSync): Rows {
  // Rows come by feed and are asked for by package: sorting once at the end is faster than keeping an index up.
  database.exec(`create temp table staged (ecosystem integer, package text, advisory integer, ranges text,
    versions text, status text, urgency text, module text, binaries text)`);
  const insertAdvisory = database.prepare("insert into advisories values (null, ?, ?, ?, ?, ?, ?, ?, ?)");
  const stage = database.prepare("insert into staged values (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const exploited = database.prepare("insert or replace into exploited values (?, ?)");
  const epss = database.prepare("insert or replace into epss values (?, ?)");
  const numberOf = ecosystemNumbers(database);

  function writeAffected(item: AffectedPackage, advisory: number | bigint): void {
    stage.run(
      numberOf(ecosystemKey(item.ecosystem)),
      ecosystemOf(item.ecosystem).normalise(item.package),
      advisory,
      JSON.stringify(item.ranges.map(({ from, to, closed }): RangeTuple => (closed ? [from, to, 1] : [from, to]))),
      item.versions.length === 0 ? null : JSON.stringify(item.versions),
      item.status,
      item.urgency,
      item.module,
      item.binaries === null ? null : JSON.stringify(item.binaries),
    );
  }

  return {
    writer: (feed) => ({
      advisory(item: Advisory) {
        const { lastInsertRowid } = insertAdvisory.run(
          item.id,
          feed,
          JSON.stringify(item.weaknesses),
          item.summary,
          item.published,
          item.vector,
          item.vector === null ? null : (cvssScore(item.vector) ?? null),
          JSON.stringify(item.links),
        );
        for (const affected of item.affected) writeAffected(affected, lastInsertRowid);
      },
      exploited: (cve, added) => void exploited.run(cve, added),
      epss: (cve, probability) => void epss.run(cve, probability),
    }),
    mark: () => lastAdvisory(database),
    removeFrom(mark, feed) {
      database.prepare("delete from staged where advisory > ?").run(mark);
      database.prepare("delete from advisories where number > ?").run(mark);
      if (own[feed] !== undefined) database.exec(`delete from ${own[feed]}`);
    },
    takeOver: (feed) => takeOver(database, feed, numberOf),
    finish() {
      database.exec("begin");
      database.exec(`insert into affected
        select ecosystem, package, rowid, advisory, ranges, versions, status, urgency, module, binaries from staged
        order by ecosystem, package, rowid`);
      database.exec("drop table staged");
      rate(database);
      database.exec("commit");
    },
  };
}

function ecosystemNumbers(database: DatabaseSync): (name: string) => number {
  const numbers = new Map<string, number>();
  const insert = database.prepare("insert into ecosystems values (?, ?)");
  return (name) => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const number = numbers.size + 1;
    insert.run(number, name);
    numbers.set(name, number);
    return number;
  };
}

function lastAdvisory(database: DatabaseSync): number {
  const row = database.prepare("select coalesce(max(number), 0) as last from advisories").get();
  return Number(row?.["last"] ?? 0);
}

function takeOver(database: DatabaseSync, feed: string, numberOf: (name: string) => number): void {
  if (own[feed] !== undefined) {
    database.exec(`insert into ${own[feed]} select * from old.${own[feed]}`);
    return;
  }
  const first = lastAdvisory(database);
  const { low } = database
    .prepare("select coalesce(min(number), 1) - 1 as low from old.advisories where feed = ?")
    .get(feed) as { low: number };
  database
    .prepare(
      `insert into advisories select number - ? + ?, id, feed, weaknesses, summary, published, vector, score, links
       from old.advisories where feed = ?`,
    )
    .run(low, first, feed);
  const names = database
    .prepare(
      `select distinct e.number, e.name from old.affected f join old.advisories a on a.number = f.advisory
       join old.ecosystems e on e.number = f.ecosystem where a.feed = ?`,
    )
    .all(feed);
  const copy = database.prepare(
    `insert into staged select ?, f.package, f.advisory - ? + ?, f.ranges, f.versions, f.status, f.urgency, f.module,
     f.binaries from old.affected f join old.advisories a on a.number = f.advisory
     where a.feed = ? and f.ecosystem = ? order by f.part`,
  );
  for (const { number, name } of names) copy.run(numberOf(String(name)), low, first, feed, Number(number));
}

/** The best vector that any feed has for a CVE: of the newest version of CVSS, and of those the one with most weight. */
function rate(database: DatabaseSync): void {
  const insert = database.prepare("insert or ignore into ratings values (?, ?, ?)");
  const rated = database
    .prepare(
      `select json_extract(weaknesses, '$[0]') as names, vector, score from advisories
       where score is not null and json_array_length(weaknesses) = 1
       order by vector like 'CVSS:4%' desc, vector like 'CVSS:3%' desc, score desc, number`,
    )
    .iterate();
  for (const { names, vector, score } of rated) {
    for (const name of (JSON.parse(String(names)) as string[]).filter(isCve)) {
      insert.run(name, String(vector), Number(score));
    }
  }
}
