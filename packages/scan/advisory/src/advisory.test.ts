import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { plainPackage, type InstalledPackage, type Inventory, type Vulnerability } from "@bulwark/model";
import { feedsDir, missing } from "@bulwark/testkit";
import { databaseStatus, openDatabase, type AdvisoryDatabase } from "./database.ts";
import { AdvisoryError } from "./error.ts";
import { match } from "./match.ts";
import { updateDatabase } from "./update.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-advisory-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function inventory(
  os: "debian" | "alpine",
  version: string,
  packages: [name: string, version: string, source?: string][],
): Inventory {
  return {
    os: { id: os, version, name: os },
    extractors: [],
    packages: packages.map(([name, packageVersion, source = name]): InstalledPackage => ({
      type: os === "debian" ? "deb" : "apk",
      name,
      version: packageVersion,
      architecture: "amd64",
      source: { name: source, version: packageVersion },
      purl: `pkg:x/${name}@${packageVersion}`,
      licences: [],
      location: "/x",
      layer: null,
      ...plainPackage,
    })),
  };
}

describe("on the real feeds", { skip: missing("feeds") }, () => {
  const path = join(folder, "real.db");
  let database: AdvisoryDatabase;
  const find = (item: Inventory): Vulnerability[] => match(item, database);
  before(async () => {
    const status = await updateDatabase({ into: path, from: feedsDir() });
    assert.deepEqual(
      status.feeds.filter(({ error }) => error !== ""),
      [],
    );
    database = openDatabase(path);
  });
  after(() => database[Symbol.dispose]());

  test("about 23,000 advisories and the catalogue of exploited ones are in it", async () => {
    const { advisories, exploited, feeds } = await databaseStatus(path);
    assert.ok(advisories > 20_000);
    assert.ok(exploited > 1000);
    assert.ok(feeds.some(({ name, records }) => name === "osv:Debian" && records === 7241));
  });

  test("DSA-4963-1: openssl of Debian 11 below its fix has its CVEs, the fix has not", () => {
    const below = find(inventory("debian", "11", [["libssl1.1", "1.1.1k-1", "openssl"]]));
    const heard = below.find(({ aliases }) => aliases.includes("DSA-4963-1"));
    assert.equal(heard?.source, "openssl");
    assert.equal(heard?.package, "libssl1.1");
    assert.equal(heard?.fixedVersion, "1.1.1k-1+deb11u1");
    assert.match(heard?.id ?? "", /^CVE-2021-371[12]$/);
    const fixed = find(inventory("debian", "11", [["libssl1.1", "1.1.1k-1+deb11u1", "openssl"]]));
    assert.ok(fixed.every(({ aliases }) => !aliases.includes("DSA-4963-1")));
  });

  test("another release, or a package of the same name as a source, is not meant", () => {
    assert.deepEqual(find(inventory("debian", "99", [["libssl1.1", "1.1.1n-0+deb11u4", "openssl"]])), []);
    assert.deepEqual(find(inventory("debian", "11", [["openssl", "1.1.1n-0+deb11u4", "another-source"]])), []);
  });

  test("Alpine 3.10: busybox before 1.30.1-r2 has CVE-2019-5747, the fix has not", () => {
    const ids = (version: string): string[] =>
      find(inventory("alpine", "3.10", [["busybox", version]])).map(({ id }) => id);
    assert.deepEqual(ids("1.30.1-r1"), ["CVE-2019-5747"]);
    assert.deepEqual(ids("1.30.1-r2"), []);
    assert.ok(ids("1.29.3-r9").includes("CVE-2018-20679"));
  });

  test("what is known to be exploited says so", () => {
    const all = find(inventory("debian", "10", [["sudo", "1.8.27-1+deb10u2"]]));
    assert.equal(all.find(({ id }) => id === "CVE-2021-3156")?.exploited, true);
  });
});

/** A small mirror, written here. */
function mirror(files: Record<string, string>): string {
  const root = mkdtempSync(join(folder, "mirror-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}
const secdb = (fixes: object): string =>
  JSON.stringify({ distroversion: "v3.20", packages: [{ pkg: { name: "curl", secfixes: fixes } }] });

test("a version that Alpine lists as 0 is not affected, whatever else is said", async () => {
  const from = mirror({
    "alpine/v3.20/main.json": secdb({ "0": ["CVE-2024-1"], "8.9.0-r0": ["CVE-2024-1", "CVE-2024-2222 GHSA-xx"] }),
  });
  const into = join(folder, "zero.db");
  await updateDatabase({ into, from });
  using database = openDatabase(into);
  const found = match(inventory("alpine", "3.20", [["curl", "8.8.0-r0"]]), database);
  assert.deepEqual(found.map(({ id }) => id).toSorted(), ["CVE-2024-2222", "GHSA-xx"]);
});

test("a feed that breaks keeps what it had, does not spoil the others, and says so", async () => {
  const into = join(folder, "broken.db");
  await updateDatabase({ into, from: mirror({ "alpine/v3.20/main.json": secdb({ "2-r0": ["CVE-2024-1111"] }) }) });
  const status = await updateDatabase({
    into,
    from: mirror({
      "alpine/v3.20/main.json": "{ no",
      "alpine/v3.20/community.json": secdb({ "3-r0": ["CVE-2024-2222"] }),
    }),
  });
  assert.match(status.feeds.find(({ name }) => name === "alpine:v3.20/main")?.error ?? "", /JSON/);
  using database = openDatabase(into);
  const ids = match(inventory("alpine", "3.20", [["curl", "1-r0"]]), database).map(({ id }) => id);
  assert.deepEqual(ids.toSorted(), ["CVE-2024-1111", "CVE-2024-2222"]);
});

test("when nothing can be read the database in use stays", async () => {
  const into = join(folder, "stays.db");
  await updateDatabase({ into, from: mirror({ "alpine/v3.20/main.json": secdb({ "2-r0": ["CVE-2024-1111"] }) }) });
  const before = await databaseStatus(into);
  await assert.rejects(
    updateDatabase({ into, from: mirror({}) }),
    (error) => error instanceof AdvisoryError && error.code === "nothing-read",
  );
  assert.deepEqual(await databaseStatus(into), before);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name === "stays.db.new"),
    [],
  );
});

test("a mirror by address is asked for what has changed only", async () => {
  const root = mirror({
    "cisa/known_exploited_vulnerabilities.json": JSON.stringify({
      vulnerabilities: [{ cveID: "CVE-2024-1", dateAdded: "2024-01-01" }],
    }),
  });
  const asked: string[] = [];
  await using server = createServer((request, response) => {
    const file = join(root, request.url ?? "");
    if (!existsSync(file)) return void response.writeHead(404).end();
    const known = request.headers["if-none-match"] === '"one"';
    asked.push(known ? "304" : "200");
    if (known) return void response.writeHead(304).end();
    return void readFile(file).then((data) => response.writeHead(200, { etag: '"one"' }).end(data));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  const from = `http://127.0.0.1:${address.port}`;
  const into = join(folder, "http.db");
  assert.equal((await updateDatabase({ into, from })).exploited, 1);
  const again = await updateDatabase({ into, from });
  assert.deepEqual(asked, ["200", "304"]);
  assert.equal(again.exploited, 1);
  assert.match(again.feeds.find(({ name }) => name === "osv:Debian")?.error ?? "", /404/);
});

test("what is no database of ours is said to be none", async () => {
  const path = join(folder, "no.db");
  assert.throws(
    () => openDatabase(path),
    (error) => error instanceof AdvisoryError && error.code === "no-database",
  );
  writeFileSync(path, "hello, I am a text");
  assert.throws(
    () => openDatabase(path),
    (error) => error instanceof AdvisoryError && error.code === "broken-database",
  );
  cpSync(path, `${path}2`);
  await assert.rejects(databaseStatus(`${path}2`), AdvisoryError);
});
