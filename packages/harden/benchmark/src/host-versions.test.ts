import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { updateDatabase } from "@bulwark/advisory";
import { openDatabase, type AdvisoryDatabase } from "@bulwark/advisory/lookup";
import type { HostPrograms } from "@bulwark/model";
import { withVersionResults } from "./host-versions.ts";
import { collectHost, evaluateBenchmark, loadLibrary, withVersions } from "./index.ts";

const needs = { files: [], texts: [], settings: [], units: [] };
const choice = { sets: new Set(["program-versions"]) };

function hostOf(context: TestContext, files: Record<string, string | Buffer>): string {
  const root = mkdtempSync(join(tmpdir(), "bulwark-programs-"));
  context.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode: 0o755 });
  }
  return root;
}

/** A program of Go as its linker makes it: ELF with one section, the build information (debug/buildinfo). */
function goProgram(module: string, version: string): Buffer {
  const told = (text: string): Buffer => {
    const bytes = Buffer.from(text, "latin1");
    return Buffer.concat([Buffer.from([(bytes.length & 0x7f) | 0x80, bytes.length >> 7]), bytes]);
  };
  const sentinel = "0".repeat(16);
  const header = Buffer.alloc(32);
  header.write("\xff Go buildinf:", "latin1");
  header.set([8, 2], 14);
  const modules = `path\t${module}/cmd\nmod\t${module}\t${version}\t\n`;
  const information = Buffer.concat([header, told("go1.22.1"), told(`${sentinel}${modules}${sentinel}`)]);
  const names = Buffer.from("\0.shstrtab\0.go.buildinfo\0");
  const section = (name: number, type: number, offset: number, size: number): Buffer => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(name);
    entry.writeUInt32LE(type, 4);
    entry.writeBigUInt64LE(BigInt(offset), 24);
    entry.writeBigUInt64LE(BigInt(size), 32);
    return entry;
  };
  const at = 64 + names.length;
  const elf = Buffer.alloc(64);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.writeBigUInt64LE(BigInt(at + information.length), 40);
  elf.writeUInt16LE(64, 58);
  elf.writeUInt16LE(3, 60);
  elf.writeUInt16LE(1, 62);
  const table = [section(0, 0, 0, 0), section(1, 3, 64, names.length), section(11, 1, at, information.length)];
  return Buffer.concat([elf, names, information, ...table]);
}

let database: AdvisoryDatabase;
const folder = mkdtempSync(join(tmpdir(), "bulwark-advisories-"));
after(() => {
  database[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

/** One of Kubernetes' own, and one that Debian has mended with a version of its own. */
before(async () => {
  const mirror = join(folder, "mirror");
  const write = (file: string, value: unknown): void => {
    mkdirSync(dirname(join(mirror, file)), { recursive: true });
    writeFileSync(join(mirror, file), JSON.stringify(value));
  };
  const advisory = {
    ...{ id: "CVE-2099-2", modified: "2099-01-01T00:00:00Z", summary: "a way to the node" },
    affected: [
      {
        package: { ecosystem: "kubernetes", name: "k8s.io/kubelet" },
        severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H" }],
        ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "1.29.4" }] }],
      },
    ],
  };
  write("kubernetes/components.json", [advisory]);
  const mended = (id: string, fixed: string): object => ({
    [id]: {
      description: "a way to the node",
      releases: { bookworm: { status: "resolved", fixed_version: fixed, urgency: "high" } },
    },
  });
  write("debian/tracker.json", {
    runc: mended("CVE-2099-1", "1.1.5+ds1-1+deb12u1"),
    crun: mended("CVE-2099-3", "1.8.1-1+deb12u1"),
  });
  await updateDatabase({ into: join(folder, "a.db"), from: mirror });
  database = openDatabase(join(folder, "a.db"));
});

async function judge(root: string, asked: AdvisoryDatabase | undefined): Promise<Map<string, string>> {
  const facts = await withVersions(collectHost({ root, needs }), asked);
  const { results } = evaluateBenchmark(loadLibrary(), { kind: "host", name: "a" }, facts, choice);
  return new Map(results.map(({ check, state, reason }) => [check, `${state}: ${reason}`]));
}

const debian = { "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' };
const status = (name: string, version: string): string =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`;

test("a program is of the version that Go wrote into it, a package's of what its distribution has mended", async (context) => {
  const own = hostOf(context, {
    ...debian,
    "usr/local/bin/kubelet": goProgram("k8s.io/kubernetes", "v1.29.3"),
    "opt/cni/bin/bridge": goProgram("github.com/containernetworking/plugins", "(devel)"),
    "usr/local/sbin/runc": goProgram("github.com/opencontainers/runc", "v1.2.7"),
  });
  const verdicts = await judge(own, database);
  assert.equal(
    verdicts.get("host-version-kubelet"),
    "fail: /usr/local/bin/kubelet has 1.29.3: CVE-2099-2, mended in 1.29.4",
  );
  assert.match(
    verdicts.get("host-version-cni") ?? "",
    /^unknown: .*\/opt\/cni\/bin\/bridge: the program does not tell/,
  );
  assert.match(verdicts.get("host-version-runc") ?? "", /^unknown: .*no advisories of Go are in the database/);
  assert.match(verdicts.get("host-version-etcd") ?? "", /^not-applicable/);

  const packaged = (version: string): string =>
    hostOf(context, {
      ...debian,
      "usr/sbin/runc": goProgram("github.com/opencontainers/runc", "v1.1.5"),
      "var/lib/dpkg/status": status("runc", version),
      "var/lib/dpkg/info/runc.list": "/.\n/usr\n/usr/sbin\n/usr/sbin/runc\n",
    });
  assert.match((await judge(packaged("1.1.5+ds1-1+deb12u1"), database)).get("host-version-runc") ?? "", /^pass/);
  assert.equal(
    (await judge(packaged("1.1.5+ds1-1"), database)).get("host-version-runc"),
    "fail: /usr/sbin/runc of the package runc has 1.1.5+ds1-1: CVE-2099-1, mended in 1.1.5+ds1-1+deb12u1",
  );
});

test("of a program in C its package tells the version; without one nothing does", async (context) => {
  const program = Buffer.concat([Buffer.from("\x7fELF", "latin1"), Buffer.alloc(4096)]);
  const packaged = (version: string): string =>
    hostOf(context, {
      ...debian,
      "usr/bin/crun": program,
      "var/lib/dpkg/status": status("crun", version),
      "var/lib/dpkg/info/crun.list": "/.\n/usr\n/usr/bin\n/usr/bin/crun\n",
    });
  const verdict = async (root: string): Promise<string | undefined> =>
    (await judge(root, database)).get("host-version-crun");
  assert.equal(
    await verdict(packaged("1.8.1-1")),
    "fail: /usr/bin/crun of the package crun has 1.8.1-1: CVE-2099-3, mended in 1.8.1-1+deb12u1",
  );
  assert.match((await verdict(packaged("1.8.1-1+deb12u1"))) ?? "", /^pass/);
  const bare = hostOf(context, { ...debian, "usr/local/bin/crun": program });
  assert.match((await verdict(bare)) ?? "", /^unknown: .*crun: the program does not tell its version/);
});

test("a package of the makers themselves has the makers' version", async (context) => {
  const root = hostOf(context, {
    ...debian,
    "usr/bin/kubelet": goProgram("k8s.io/kubernetes", "(devel)"),
    "var/lib/dpkg/status": status("kubelet", "1.29.3-1.1"),
    "var/lib/dpkg/info/kubelet.list": "/.\n/usr/bin/kubelet\n",
  });
  assert.equal(
    (await judge(root, database)).get("host-version-kubelet"),
    "fail: /usr/bin/kubelet of the package kubelet has 1.29.3-1.1: CVE-2099-2, mended in 1.29.4",
  );
});

test("without advisories nothing is said of versions; a server that has them answers from the report", async (context) => {
  const root = hostOf(context, { "usr/bin/kubelet": goProgram("k8s.io/kubernetes", "v1.29.3") });
  const facts = collectHost({ root, needs });
  const judged = evaluateBenchmark(loadLibrary(), { kind: "host", name: "a" }, facts, choice);
  const report = { ...judged, collectedAt: 0, durationMs: 0 };
  assert.ok(report.results.every(({ state }) => state === "unknown"));
  assert.match((await judge(root, undefined)).get("host-version-kubelet") ?? "", /^unknown: .*no advisory database/);
  const programs = JSON.parse(JSON.stringify(facts.values["programs"])) as HostPrograms;
  const known = await withVersions({ values: { programs }, missing: {} }, database);
  const answered = withVersionResults(report, {
    versions: known.values["versions"] as never,
    missing: known.missing ?? {},
  });
  assert.equal(answered.results.find(({ check }) => check === "host-version-kubelet")?.state, "fail");
  assert.equal(answered.results.length, report.results.length);
});

test("what is no program, is cut off, or is nothing, breaks nothing", async (context) => {
  const whole = goProgram("github.com/opencontainers/runc", "v1.2.7");
  for (const content of [Buffer.alloc(0), Buffer.from("#!/bin/sh\n"), whole.subarray(0, 100), whole.subarray(0, -70)]) {
    const root = hostOf(context, { ...debian, "usr/sbin/runc": content });
    const verdict = (await judge(root, database)).get("host-version-runc") ?? "none";
    assert.match(verdict, /^(?:unknown|not-applicable|none)/);
  }
});
