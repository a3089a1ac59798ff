import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { plainPackage, type InstalledPackage, type PackageType, type Vulnerability } from "@bulwark/model";
import { build } from "./build.ts";
import { openDatabase } from "./database.ts";
import type { Feed, Writer } from "./feeds/feed.ts";
import { writeOsv } from "./feeds/osv.ts";
import { match, unmatched } from "./match.ts";
import { osvRecord } from "./osv.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-match-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let databases = 0;

type Change = Partial<Omit<InstalledPackage, "source">> & { source?: [name: string, version: string] };

function item(type: PackageType, name: string, version: string, change: Change = {}): InstalledPackage {
  const [source, sourceVersion] = change.source ?? [name, version];
  return {
    ...plainPackage,
    type,
    name,
    version,
    architecture: "amd64",
    purl: `pkg:${type}/${name}@${version}`,
    licences: [],
    location: "/x",
    layer: null,
    ...change,
    source: { name: source, version: sourceVersion },
  };
}

type Records = Record<string, unknown>[];

/** What is found in packages, by an advisory database of these OSV records. */
async function found(
  records: Records,
  packages: InstalledPackage[],
  os: [id: string, version: string] | null = null,
  more: (writer: Writer) => void = () => {},
): Promise<Vulnerability[]> {
  const path = join(folder, `${++databases}.db`);
  const feed: Feed = {
    files: [],
    has: () => true,
    nameOf: (name) => name,
    address: () => "",
    async load(_file, _path, writer) {
      for (const record of records) writeOsv(osvRecord.parse(record), writer);
      more(writer);
      return records.length;
    },
  };
  await build(path, [{ feed, path: "osv:test", file: "x", stamp: "1", error: "" }], () => {}, 0);
  using database = openDatabase(path);
  return match({ os: os && { id: os[0], version: os[1], name: "" }, packages, extractors: [] }, database);
}

function record(
  id: string,
  ecosystem: string,
  name: string,
  events: [kind: string, version: string][],
  rest: object = {},
  affected: object = {},
): Record<string, unknown> {
  const ranges = [{ type: "ECOSYSTEM", events: events.map(([kind, version]) => ({ [kind]: version })) }];
  return { id, affected: [{ package: { ecosystem, name }, ranges, ...affected }], ...rest };
}
const until = (version: string): [string, string][] => [
  ["introduced", "0"],
  ["fixed", version],
];
const ids = (list: Vulnerability[]): string[] => list.map(({ id }) => id).toSorted();

describe("languages", () => {
  test("names are the same where the ecosystem says so, and only there", async () => {
    const records = [
      record("PYSEC-1", "PyPI", "zope.interface", until("9")),
      record("GHSA-n", "NuGet", "Newtonsoft.Json", until("9")),
      record("GHSA-c", "Packagist", "Symfony/HTTP-Kernel", until("9")),
      record("GHSA-s", "SwiftURL", "github.com/Vapor/vapor", until("9")),
      record("GHSA-j", "npm", "JSONStream", until("9")),
      record("GHSA-m", "Maven", "org.slf4j:slf4j-api", until("9")),
    ];
    const packages = [
      item("pypi", "Zope_Interface", "1"),
      item("nuget", "NEWTONSOFT.JSON", "1"),
      item("composer", "symfony/http-kernel", "1"),
      item("swift", "https://github.com/vapor/vapor.git", "1"),
      item("npm", "jsonstream", "1"),
      item("maven", "org.slf4j:slf4j-api", "1"),
    ];
    assert.deepEqual(ids(await found(records, packages)), ["GHSA-c", "GHSA-m", "GHSA-n", "GHSA-s", "PYSEC-1"]);
  });

  test("what several databases say of one weakness is one finding, under its CVE, with every name and the later fix", async () => {
    const records = [
      record("GHSA-1", "PyPI", "x", until("1.2"), { aliases: ["CVE-2024-0001"], summary: "from GitHub" }),
      record("PYSEC-1", "PyPI", "x", until("1.3"), { aliases: ["GHSA-1"] }),
      record("PYSEC-2", "PyPI", "x", until("2"), { aliases: ["CVE-2024-0002"] }),
    ];
    const [first, second, ...more] = await found(records, [item("pypi", "x", "1.0")]);
    assert.deepEqual([first?.id, second?.id, more.length], ["CVE-2024-0001", "CVE-2024-0002", 0]);
    assert.deepEqual(first?.aliases.toSorted(), ["GHSA-1", "PYSEC-1"]);
    assert.equal(first?.fixedVersion, "1.3");
    assert.equal(first?.summary, "from GitHub");
  });

  test("a fix that one advisory names is none while another has no end", async () => {
    const records = [
      record("GHSA-1", "npm", "x", until("1.2.0")),
      record("GHSA-2", "npm", "x", [["introduced", "0"]], { aliases: ["GHSA-1"] }),
    ];
    assert.equal((await found(records, [item("npm", "x", "1.0.0")]))[0]?.fixedVersion, null);
  });

  test("withdrawn records say nothing; commits are no versions; listed versions count besides ranges", async () => {
    const records = [
      record("GHSA-git", "PyPI", "x", [], {}, { ranges: [{ type: "GIT", events: [{ introduced: "0" }] }] }),
      record("GHSA-listed", "PyPI", "x", until("1.0"), {}, { versions: ["0.9", "1.5"] }),
      record("GHSA-last", "PyPI", "x", [
        ["introduced", "1.0"],
        ["last_affected", "1.5"],
      ]),
    ];
    assert.deepEqual(ids(await found(records, [item("pypi", "x", "1.5")])), ["GHSA-last", "GHSA-listed"]);
    assert.deepEqual(ids(await found(records, [item("pypi", "x", "1.5.1")])), []);
  });

  test("Go: (devel) is no version, pseudo-versions have their place, the standard library is the toolchain's", async () => {
    const records = [
      record("GO-1", "Go", "example.com/m", until("1.0.0")),
      record("GO-2", "Go", "golang.org/x/net", until("0.0.0-20220906165146-f3363e06e74c")),
      record("GO-3", "Go", "stdlib", [
        ["introduced", "1.21.0-0"],
        ["fixed", "1.21.5"],
      ]),
    ];
    const go = (name: string, version: string): InstalledPackage => item("golang", name, version);
    assert.deepEqual(ids(await found(records, [go("example.com/m", "(devel)"), go("example.com/m", "")])), []);
    assert.deepEqual(ids(await found(records, [go("golang.org/x/net", "v0.0.0-20220101000000-aaaaaaaaaaaa")])), [
      "GO-2",
    ]);
    assert.deepEqual(ids(await found(records, [go("golang.org/x/net", "v0.0.0-20230101000000-aaaaaaaaaaaa")])), []);
    assert.deepEqual(ids(await found(records, [go("stdlib", "go1.21.4"), go("stdlib", "go1.20")])), ["GO-3"]);
    assert.deepEqual(ids(await found(records, [go("stdlib", "go1.21.5 X:boringcrypto")])), []);
  });

  test("Bitnami's number of the build is no pre-release; a program without a package is known there", async () => {
    const records = [record("BIT-1", "Bitnami", "redis", until("7.0.5"))];
    assert.deepEqual(ids(await found(records, [item("bitnami", "redis", "7.0.5-2")])), []);
    assert.deepEqual(ids(await found(records, [item("binary", "redis-server", "7.0.4")])), ["BIT-1"]);
  });

  test("what a distribution's package owns, the distribution answers for; where nobody knows it, the language does", async () => {
    const records = [
      record("GHSA-1", "PyPI", "requests", until("2.31")),
      record("ALSA-1", "AlmaLinux:8", "x", until("1")),
    ];
    const owned = item("pypi", "requests", "2.20", { ownedBy: "pkg:rpm/almalinux/python3-requests@2.20.0-3.el8" });
    const owner = item("rpm", "python3-requests", "2.20.0-3.el8");
    assert.deepEqual(ids(await found(records, [owned, owner], ["almalinux", "8.9"])), []);
    assert.deepEqual(ids(await found(records, [owned, owner], ["homebrew-linux", "1"])), ["GHSA-1"]);
    assert.deepEqual(ids(await found(records, [{ ...owned, ownedBy: null }], ["almalinux", "8.9"])), ["GHSA-1"]);
  });
});

describe("distributions", () => {
  test("Debian: by source and its version, in the release alone; one notice is every CVE that it mends", async () => {
    const records = [
      record("DSA-1-1", "Debian:12", "openssl", until("3.0.11-1"), { upstream: ["CVE-2024-0001", "CVE-2024-0002"] }),
      record("DEBIAN-CVE-2024-0001", "Debian:12", "openssl", until("3.0.11-1"), { upstream: ["CVE-2024-0001"] }),
    ];
    const lib = item("deb", "libssl3", "3.0.10-1+b1", { source: ["openssl", "3.0.10-1"] });
    const list = await found(records, [lib], ["debian", "12"]);
    assert.deepEqual(ids(list), ["CVE-2024-0001", "CVE-2024-0002"]);
    assert.deepEqual(
      [list[0]?.package, list[0]?.source, list[0]?.version, list[0]?.fixedVersion],
      ["libssl3", "openssl", "3.0.10-1+b1", "3.0.11-1"],
    );
    assert.ok(list.find(({ id }) => id === "CVE-2024-0001")?.aliases.includes("DEBIAN-CVE-2024-0001"));
    assert.deepEqual(await found(records, [lib], ["debian", "11"]), []);
    const rebuilt = item("deb", "libssl3", "3.0.10-1+b1", { source: ["openssl", "3.0.11-1"] });
    assert.deepEqual(await found(records, [rebuilt], ["debian", "12"]), []);
  });

  test("an epoch outweighs every number behind it", async () => {
    const records = [record("DSA-2-1", "Debian:12", "vim", until("2:9.0.1378-2"), { upstream: ["CVE-2024-0003"] })];
    assert.equal((await found(records, [item("deb", "vim", "9.1-1")], ["debian", "12"])).length, 1);
    assert.equal((await found(records, [item("deb", "vim", "2:9.1-1")], ["debian", "12"])).length, 0);
  });

  test("states: will not be fixed, end of life, not affected whatever a range says, negligible by the distribution's word", async () => {
    const records = [1, 2, 3, 4].map((n) =>
      record(`DEBIAN-CVE-2024-100${n}`, "Debian:12", "x", [["introduced", "0"]], {}, n === 4 ? unimportant : {}),
    );
    const list = await found(records, [item("deb", "x", "1")], ["debian", "12"], (writer) => {
      const say = (id: string, status: "wont-fix" | "end-of-life" | "not-affected"): void =>
        writer.advisory({
          id,
          weaknesses: [[id]],
          summary: "",
          published: null,
          vector: null,
          links: [],
          affected: [
            {
              ecosystem: "Debian:12",
              package: "x",
              ranges: status === "not-affected" ? [] : [{ from: null, to: null, closed: false }],
              versions: [],
              status,
              urgency: null,
              module: null,
              binaries: null,
            },
          ],
        });
      say("CVE-2024-1001", "wont-fix");
      say("CVE-2024-1002", "end-of-life");
      say("CVE-2024-1003", "not-affected");
    });
    assert.deepEqual(
      list.map(({ id, state, severity }) => [id, state, severity]),
      [
        ["CVE-2024-1001", "wont-fix", "unknown"],
        ["CVE-2024-1002", "end-of-life", "unknown"],
        ["CVE-2024-1004", "unfixed", "negligible"],
      ],
    );
  });
  const unimportant = { ecosystem_specific: { urgency: "unimportant" } };

  test("Ubuntu: builds of Pro are judged by Pro's list, others by the plain one", async () => {
    const records = [
      record("UBUNTU-CVE-2024-1", "Ubuntu:20.04:LTS", "x", [["introduced", "0"]], { upstream: ["CVE-2024-5001"] }),
      record("USN-1", "Ubuntu:Pro:20.04:LTS", "x", until("1.0-1ubuntu1+esm2"), { upstream: ["CVE-2024-5001"] }),
    ];
    const of = async (version: string): Promise<string[]> =>
      ids(await found(records, [item("deb", "x", version)], ["ubuntu", "20.04"]));
    assert.deepEqual(await of("1.0-1ubuntu1"), ["CVE-2024-5001"]);
    assert.deepEqual(await of("1.0-1ubuntu1+esm1"), ["CVE-2024-5001"]);
    assert.deepEqual(await of("1.0-1ubuntu1+esm2"), []);
  });

  test("rpm: a module's packages are meant by advisories for their stream alone, other packages by none of a module's", async () => {
    const title = (stream: string): object => ({
      summary: `Important: nodejs:${stream} security update`,
      related: [`CVE-2024-20${stream}`],
    });
    const records = [
      record("ALSA-16", "AlmaLinux:8", "nodejs", until("1:16.20.2-3.module_el8.9.0+1"), title("16")),
      record("ALSA-18", "AlmaLinux:8", "nodejs", until("1:18.19.1-1.module_el8.9.0+2"), title("18")),
      record("ALSA-x", "AlmaLinux:8", "nodejs", until("99-1.el8"), { related: ["CVE-2024-2099"] }),
    ];
    const of = async (version: string, module: string | null): Promise<string[]> =>
      ids(await found(records, [item("rpm", "nodejs", version, { module })], ["almalinux", "8.9"]));
    assert.deepEqual(await of("1:16.20.2-2.module_el8.9.0+1", "nodejs:16:8090020240101:abc"), ["CVE-2024-2016"]);
    assert.deepEqual(await of("1:16.20.2-3.module_el8.9.0+1", "nodejs:16"), []);
    assert.deepEqual(await of("1:18.19.0-1.module_el8.9.0+2", "nodejs:18"), ["CVE-2024-2018"]);
    assert.deepEqual(await of("10-1.el8", null), ["CVE-2024-2099"]);
    const [first] = await found(
      records,
      [item("rpm", "nodejs", "1:16.0-1.module_el8", { module: "nodejs:16" })],
      ["almalinux", "8"],
    );
    assert.equal(first?.severity, "high");
  });

  test("Red Hat: of the release's own stream; a build for extended support is judged by that one", async () => {
    const records = [
      record("RHSA-1", "Red Hat:enterprise_linux:9::baseos", "kernel", until("5.14.0-427.el9_4"), {
        upstream: ["CVE-2024-3001"],
      }),
      record("RHSA-2", "Red Hat:rhel_eus:9.2::baseos", "kernel", until("5.14.0-284.52.1.el9_2"), {
        upstream: ["CVE-2024-3001"],
      }),
    ];
    const of = async (version: string): Promise<string[]> =>
      ids(await found(records, [item("rpm", "kernel", version)], ["rhel", "9.2"]));
    assert.deepEqual(await of("5.14.0-284.52.1.el9_2"), []);
    assert.deepEqual(await of("5.14.0-284.11.1.el9_2"), ["CVE-2024-3001"]);
    assert.deepEqual(await of("5.14.0-362.el9"), ["CVE-2024-3001"]);
  });

  test("SUSE: by service pack, and only the binary packages that the update lists", async () => {
    const records = [
      record(
        "SUSE-SU-1",
        "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
        "openssl-3",
        until("3.0.8-1"),
        { related: ["CVE-2024-4001"] },
        { ecosystem_specific: { binaries: [{ libopenssl3: "3.0.8-1" }] } },
      ),
    ];
    const of = async (name: string, release: string): Promise<string[]> =>
      ids(
        await found(records, [item("rpm", name, "3.0.7-1", { source: ["openssl-3", "3.0.7-1"] })], ["sles", release]),
      );
    assert.deepEqual(await of("libopenssl3", "15.5"), ["CVE-2024-4001"]);
    assert.deepEqual(await of("libopenssl3", "15.4"), []);
    assert.deepEqual(await of("openssl-3-doc", "15.5"), []);
  });
});

test("severity, score, KEV and EPSS come from wherever they are known", async () => {
  const vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
  const records = [
    record("DSA-1-1", "Debian:12", "x", until("2"), { upstream: ["CVE-2024-0001"] }),
    record("GHSA-1", "PyPI", "y", until("2"), {
      aliases: ["CVE-2024-0001"],
      severity: [{ type: "CVSS_V3", score: vector }],
    }),
    record("GHSA-2", "PyPI", "z", until("2"), { database_specific: { severity: "MODERATE" } }),
  ];
  const packages = [item("deb", "x", "1"), item("pypi", "z", "1")];
  const [one, two] = await found(records, packages, ["debian", "12"], (writer) => {
    writer.exploited("CVE-2024-0001", "2024-01-01");
    writer.epss("CVE-2024-0001", 0.93);
  });
  assert.deepEqual(
    [one?.severity, one?.cvss, one?.exploited, one?.epss],
    ["critical", { score: 9.8, vector }, true, 0.93],
  );
  assert.deepEqual([two?.severity, two?.cvss, two?.exploited, two?.epss], ["medium", null, false, null]);
});

test("of what nothing is known, that is said, with the reason", async () => {
  const path = join(folder, "unmatched.db");
  const feed: Feed = {
    files: [],
    has: () => true,
    nameOf: (name) => name,
    address: () => "",
    load: async (_file, _path, writer) => (
      writeOsv(osvRecord.parse(record("GHSA-1", "npm", "x", until("2"))), writer),
      1
    ),
  };
  await build(path, [{ feed, path: "osv:npm", file: "x", stamp: "1", error: "" }], () => {}, 0);
  using database = openDatabase(path);
  const packages = [
    item("npm", "x", "1.0.0"),
    item("rpm", "bash", "5-1"),
    item("pypi", "y", "1"),
    item("conda", "z", "1"),
  ];
  const os = { id: "fedora", version: "40", name: "Fedora Linux 40" };
  const reasons = unmatched({ os, packages, extractors: [] }, database);
  assert.deepEqual(
    reasons.map(({ unknown, packages: list }) => [unknown, list.map(({ name }) => name)]),
    [
      ["no advisories of Fedora Linux 40 are in the database", ["bash"]],
      ["no advisories of PyPI are in the database", ["y"]],
      ["no advisories are made for packages of type conda", ["z"]],
    ],
  );
});
