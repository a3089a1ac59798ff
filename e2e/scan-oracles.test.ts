/** What `bulwark scan` lists, beside what the tools list that brought it; and an image beside its own bill of materials. */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { Report } from "@bulwark/model";
import { feedsDir, makeLayout, makeTar, missing } from "@bulwark/testkit";
import { buildPrograms } from "./cluster/programs.ts";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "bulwark-e2e-oracles-"));
const database = join(folder, "advisories.db");
after(() => rmSync(folder, { recursive: true, force: true }));

async function scan(...args: string[]): Promise<Report> {
  const options = {
    env: { ...process.env, XDG_CACHE_HOME: join(folder, "cache") },
    timeout: 300_000,
    maxBuffer: 512 * 1024 ** 2,
  };
  const call = ["scan", ...args, "--db", database, "--offline", "--format", "json"];
  return new Promise((resolve, reject) => {
    execFile(join(root, "bin/bulwark"), call, options, (_error, out, err) => {
      if (out.startsWith("{")) resolve(JSON.parse(out) as Report);
      else reject(new Error(err));
    });
  });
}

/** `name version` of what a report lists of a kind, each once. */
function listed({ packages }: Report, type: string, name: (name: string) => string = (text) => text): string[] {
  const found = packages.filter((item) => item.type === type).map((item) => `${name(item.name)} ${item.version}`);
  return [...new Set(found)].toSorted();
}

before(() => {
  if (missing("feeds") !== false) return;
  execFileSync(join(root, "bin/bulwark"), ["db", "update", "--from", feedsDir(), "--db", database]);
});

test("npm packages: those that npm ls tells", { timeout: 300_000 }, async () => {
  const { stdout } = spawnSync("npm", ["ls", "--all", "--parseable", "--long"], { cwd: root, encoding: "utf8" });
  // A line is `path:name@version`; a workspace is a link to its folder, and no package that npm brought.
  const installed = stdout.split("\n").flatMap((line) => {
    const [path = "", item = ""] = line.split(":");
    if (!path.includes("/node_modules/") || item.startsWith("@bulwark/")) return [];
    return [`${item.slice(0, item.lastIndexOf("@"))} ${item.slice(item.lastIndexOf("@") + 1)}`];
  });
  assert.ok(installed.length > 150, `${installed.length} lines of npm ls`);
  for (const file of globSync("node_modules/**/package.json", { cwd: root })) {
    if (file.startsWith("node_modules/@bulwark/")) continue;
    mkdirSync(join(folder, "npm", dirname(file)), { recursive: true });
    copyFileSync(join(root, file), join(folder, "npm", file));
  }
  const report = await scan("fs", join(folder, "npm"));
  assert.deepEqual(listed(report, "npm"), [...new Set(installed)].toSorted());
});

test("Python packages: those that Python itself tells", { skip: missing("python"), timeout: 300_000 }, async () => {
  const program = [
    "import importlib.metadata as m, json, pathlib",
    "print(json.dumps([[d.metadata['Name'], d.version, str(d._path)] for d in m.distributions()]))",
  ].join("\n");
  const found = JSON.parse(execFileSync("python3", ["-c", program], { encoding: "utf8" })) as string[][];
  assert.ok(found.length > 0, "this Python has no packages: python3-requests brings some");
  for (const [at, [, , path = ""]] of found.entries())
    cpSync(path, join(folder, "python", String(at), basename(path)), { recursive: true });
  // PEP 503: how names are compared.
  const normal = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, "-");
  const report = await scan("fs", join(folder, "python"));
  assert.deepEqual(
    listed(report, "pypi", normal),
    [...new Set(found.map(([name = "", version = ""]) => `${normal(name)} ${version}`))].toSorted(),
  );
});

test("a program of Go: the modules that go version tells", { skip: missing("go"), timeout: 900_000 }, async () => {
  const { coredns } = await buildPrograms();
  const told = execFileSync("go", ["version", "-m", coredns], { encoding: "utf8" });
  const modules: string[] = [];
  for (const line of told.split("\n")) {
    const [kind, path = "", version = ""] = line.trim().split("\t");
    if (kind === "=>") modules.pop();
    // Of a checkout without tags Go makes up a version that is older than every release.
    const known = kind === "mod" && version.startsWith("v0.0.0-") ? "(devel)" : version;
    if (kind === "dep" || kind === "mod" || kind === "=>") modules.push(`${path} ${known}`);
  }
  assert.ok(modules.length > 50, told);
  mkdirSync(join(folder, "go"));
  copyFileSync(coredns, join(folder, "go/coredns"));
  const report = await scan("fs", join(folder, "go"));
  const [toolchain] = /go1\.[\w.]+/.exec(told) ?? [""];
  assert.deepEqual(listed(report, "golang"), [...new Set([...modules, `stdlib ${toolchain.slice(2)}`])].toSorted());
});

test(
  "an image and its own bill of materials have the same vulnerabilities",
  { skip: missing("feeds"), timeout: 300_000 },
  async () => {
    const apk = "P:busybox\nV:1.30.1-r1\nA:x86_64\no:busybox\n\nP:libcrypto3\nV:3.0.7-r0\nA:x86_64\no:openssl\n\n";
    const images = {
      debian: {
        "etc/os-release": 'ID=debian\nVERSION_ID="11"\nPRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\n',
        "var/lib/dpkg/status": [
          "Package: libssl1.1\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 1.1.1k-1\n",
          "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib (1:1.2.11.dfsg-2)\nVersion: 1:1.2.11.dfsg-2+b1\n",
          "",
        ].join("\n"),
        "usr/lib/python3/dist-packages/Django-2.2.0.dist-info/METADATA":
          "Metadata-Version: 2.1\nName: Django\nVersion: 2.2.0\n\n",
        "app/node_modules/lodash/package.json": '{"name":"lodash","version":"4.17.4"}',
        "app/Cargo.lock":
          '[[package]]\nname = "time"\nversion = "0.1.42"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n',
        "app/go.mod": "module example.com/app\n\ngo 1.20\n\nrequire golang.org/x/text v0.3.5\n",
      },
      alpine: { "etc/os-release": "ID=alpine\nVERSION_ID=3.10.1\n", "lib/apk/db/installed": apk },
    };
    for (const [name, files] of Object.entries(images)) {
      const place = join(folder, `image-${name}`);
      mkdirSync(place);
      const image = makeLayout(place, [makeTar(place, files)]);
      const sboms = { cyclonedx: join(folder, `${name}.cdx.json`), spdx: join(folder, `${name}.spdx.json`) };
      const report = await scan(
        "image",
        image,
        ...Object.entries(sboms).flatMap(([form, file]) => ["--save", `${form}=${file}`]),
      );
      const told = ({ vulnerabilities }: Report): string[] =>
        (vulnerabilities ?? []).map((item) => `${item.id} ${item.purl} ${item.fixedVersion ?? "-"} ${item.severity}`);
      assert.ok(told(report).length > 0, `${name}: nothing found`);
      for (const file of Object.values(sboms)) assert.deepEqual(told(await scan("sbom", file)), told(report), file);
    }
  },
);
