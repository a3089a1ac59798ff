/**
 * How fast the advisory database is built from the feeds (FEEDS_DIR), built again when nothing has changed, and asked.
 * Every row has a limit; a missed one fails the run.
 *
 *     node scripts/node.mjs bench/advisory.ts
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { databaseStatus, match, openDatabase, updateDatabase } from "@bulwark/advisory";
import { plainPackage, type InstalledPackage, type Inventory } from "@bulwark/model";
import { feedsDir } from "@bulwark/testkit";

export interface AdvisoryBenchRow {
  what: string;
  value: number;
  unit: "s" | "lookups/s" | "MB";
  limit: number;
  kept: boolean;
}

/** Packages of the image that is matched: of Debian 11, as many as a large image has. */
const packages = 1000;
const lookups = 200_000;

export async function run(): Promise<AdvisoryBenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-bench-"));
  try {
    return await measure(join(folder, "advisories.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(path: string): Promise<AdvisoryBenchRow[]> {
  const rows: AdvisoryBenchRow[] = [];
  const below = (what: string, value: number, unit: AdvisoryBenchRow["unit"], limit: number): void => {
    rows.push({ what, value, unit, limit, kept: value < limit });
  };
  const update = (): Promise<unknown> => updateDatabase({ into: path, from: feedsDir() });
  const built = await timed(update);
  const { advisories } = await databaseStatus(path);
  below(`database from all feeds (${advisories} advisories)`, built, "s", 30);
  below("again, nothing changed", await timed(update), "s", 10);
  below("the file", statSync(path).size / 1024 ** 2, "MB", 100);

  using database = openDatabase(path);
  const names = sampleNames();
  let found = 0;
  const ask = (): void => {
    for (let at = 0; at < lookups; at++) {
      const [ecosystem = "", name = ""] = names[at % names.length] ?? [];
      found += database.affected(ecosystem, name).length;
    }
  };
  ask();
  const took = await timed(ask);
  if (found === 0) throw new Error("the sample finds nothing");
  const rate = lookups / took;
  rows.push({ what: "lookups of a package", value: rate, unit: "lookups/s", limit: 50_000, kept: rate > 50_000 });

  const image = sampleImage();
  match(image, database);
  let vulnerabilities = 0;
  const matched = await timed(() => void (vulnerabilities = match(image, database).length));
  below(`an image of ${packages} packages matched (${vulnerabilities} vulnerabilities)`, matched, "s", 0.3);
  return rows;
}

/** Names that there are and names that there are not, as an image has them: most packages have no advisory. */
function sampleNames(): [string, string][] {
  const known: [string, string][] = [
    ["Debian:11", "openssl"],
    ["Debian:10", "sudo"],
    ["npm", "lodash"],
    ["PyPI", "requests"],
    ["Go", "golang.org/x/crypto"],
    ["crates.io", "openssl"],
  ];
  const unknown = Array.from({ length: 14 }, (_, index): [string, string] => ["Debian:11", `package-${index}`]);
  return [...known, ...unknown];
}

function sampleImage(): Inventory {
  const sources = ["openssl", "curl", "glibc", "linux", "sudo", "systemd", "python3.9", "vim", "expat", "git"];
  return {
    os: { id: "debian", version: "11", name: "Debian GNU/Linux 11" },
    extractors: [],
    packages: Array.from({ length: packages }, (_, index): InstalledPackage => {
      const source = sources[index % 50] ?? `source-${index}`;
      return {
        ...plainPackage,
        type: "deb",
        name: `package-${index}`,
        version: "1.0-1",
        architecture: "amd64",
        source: { name: source, version: "1.0-1" },
        purl: `pkg:deb/debian/package-${index}@1.0-1`,
        licences: [],
        location: "/var/lib/dpkg/status",
        layer: null,
      };
    }),
  };
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const rows = await run();
  for (const { what, value, unit, limit, kept } of rows) {
    const digits = value < 10 ? 3 : 0;
    console.log(`${kept ? "ok  " : "FAIL"} ${what.padEnd(60)} ${value.toFixed(digits)} ${unit} (limit ${limit})`);
  }
  process.exitCode = rows.every(({ kept }) => kept) ? 0 : 1;
}
