/** `bulwark scan` and `bulwark db` as they are typed, on real inputs. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Report } from "@bulwark/model";
import { feedsDir, missing } from "@bulwark/testkit";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "bulwark-e2e-scan-"));
const database = join(folder, "advisories.db");
after(() => rmSync(folder, { recursive: true, force: true }));
const skip = missing("feeds");

interface Outcome {
  code: number;
  out: string;
  err: string;
}

async function bulwark(...args: string[]): Promise<Outcome> {
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
  return new Promise((resolve) => {
    const options = { cwd: root, env, timeout: 300_000, maxBuffer: 512 * 1024 ** 2 };
    execFile(join(root, "bin/bulwark"), args, options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
    });
  });
}

async function reportOf(...args: string[]): Promise<{ code: number; report: Report }> {
  const { code, out, err } = await bulwark("scan", ...args, "--db", database, "--format", "json");
  assert.ok(out.startsWith("{"), `exit ${code}: ${err}`);
  return { code, report: JSON.parse(out) as Report };
}

before(async () => {
  if (skip !== false) return;
  const { code, out, err } = await bulwark("db", "update", "--from", feedsDir(), "--db", database);
  assert.equal(code, 0, err);
  assert.match(out, /osv:Debian +7241/);
});

test("db status says what is in it and how old it is", { skip }, async () => {
  const { code, out } = await bulwark("db", "status", "--db", database);
  assert.equal(code, 0);
  assert.match(out, /advisories, 1404 known to be exploited, less than an hour old/);
});

test("an image of Debian 11 and Python: advisories of both", { skip }, async () => {
  const files = {
    "etc/os-release": 'ID=debian\nVERSION_ID="11"\nPRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\n',
    "var/lib/dpkg/status": [
      "Package: libssl1.1\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 1.1.1k-1\n",
      "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n",
      "",
    ].join("\n"),
    "usr/local/lib/python3.9/site-packages/Django-2.2.0.dist-info/METADATA":
      "Metadata-Version: 2.1\nName: Django\nVersion: 2.2.0\nLicense: BSD-3-Clause\n\n",
  };
  const { report } = await reportOf("image", archiveOf(files));
  const found = report.vulnerabilities ?? [];
  const openssl = found.find(({ aliases }) => aliases.includes("DSA-4963-1"));
  assert.deepEqual(
    [openssl?.package, openssl?.source, openssl?.fixedVersion],
    ["libssl1.1", "openssl", "1.1.1k-1+deb11u1"],
  );
  assert.ok(found.some(({ type, package: name }) => type === "pypi" && /^django$/i.test(name)));
  assert.deepEqual(report.packages.map(({ name }) => name).toSorted(), ["Django", "libssl1.1"]);
});

test("this machine: the packages that dpkg-query tells", { skip }, async () => {
  const listed = spawnSync("dpkg-query", ["-W", "-f", "${db:Status-Abbrev} ${Package} ${Version}\n"], {
    encoding: "utf8",
  });
  assert.equal(listed.status, 0);
  const expected = listed.stdout
    .split("\n")
    .filter((line) => line.startsWith("ii"))
    .map((line) =>
      line
        .split(" ")
        .filter((word) => word !== "")
        .slice(1)
        .join(" "),
    );
  // Its own database of packages alone: the rest of the disk is as large as it happens to be.
  const copy = join(folder, "machine");
  for (const path of ["etc/os-release", "var/lib/dpkg/status"])
    write(join(copy, path), readFileSync(`/${path}`, "utf8"));
  const { report } = await reportOf("fs", copy);
  const found = report.packages.filter(({ type }) => type === "deb").map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual([...new Set(found)].toSorted(), [...new Set(expected)].toSorted());
});

test(
  "a gate that is not met is 1, a wrong call 2 with one line, a distribution that nobody knows 3",
  { skip },
  async () => {
    const image = archiveOf({
      "etc/os-release": "ID=alpine\nVERSION_ID=3.10.1\n",
      "lib/apk/db/installed": "P:busybox\nV:1.30.1-r1\nA:x86_64\no:busybox\n\n",
    });
    assert.equal((await bulwark("scan", "image", image, "--db", database, "--fail-on", "fixable")).code, 1);
    const wrong = await bulwark("scan", "image", join(folder, "nothing.tar"), "--db", database);
    assert.equal(wrong.code, 2);
    assert.equal(wrong.err.trim().split("\n").length, 1);
    const unknown = archiveOf({
      "etc/os-release": "ID=alpine\nVERSION_ID=3.2.0\n",
      "lib/apk/db/installed": "P:busybox\nV:1.30.1-r1\nA:x86_64\no:busybox\n\n",
    });
    assert.equal((await bulwark("scan", "image", unknown, "--db", database)).code, 3);
  },
);

test("this repository is clean, or what is not is put up with for a reason", { skip }, async () => {
  const { code, report } = await reportOf("repo", ".", "--fail-on", "any");
  assert.ok(report.packages.length > 300);
  assert.deepEqual(report.warnings, []);
  assert.equal(code, 0);
});

/** An image as `docker save` writes one, of a single layer. */
function archiveOf(files: Record<string, string>): string {
  const name = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 12);
  const place = join(folder, name);
  for (const [path, text] of Object.entries(files)) write(join(place, "layer", path), text);
  const tar = (into: string, from: string): void =>
    assert.equal(spawnSync("tar", ["-C", from, "-cf", into, "."]).status, 0);
  mkdirSync(join(place, "image"));
  tar(join(place, "image/layer.tar"), join(place, "layer"));
  const digest = createHash("sha256").update(name).digest("hex");
  const config = {
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
    history: [{ created_by: "COPY . /" }],
  };
  write(join(place, "image/config.json"), JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: [`test/${name}:1`], Layers: ["layer.tar"] }];
  write(join(place, "image/manifest.json"), JSON.stringify(manifest));
  const file = join(folder, `${name}.tar`);
  const packed = spawnSync("tar", [
    "-C",
    join(place, "image"),
    "-cf",
    file,
    "manifest.json",
    "config.json",
    "layer.tar",
  ]);
  assert.equal(packed.status, 0);
  return file;
}

function write(path: string, text: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
}
