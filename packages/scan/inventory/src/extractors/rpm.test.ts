import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { inventory as schema, type Inventory } from "@bulwark/model";
import { damaged, fuzzing, missing, run } from "@bulwark/testkit";
import fc from "fast-check";
import { inventoryOf } from "../examine-files.ts";
import { sqliteTable } from "../formats/sqlite.ts";
import { rpm } from "./rpm.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-rpm-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const lack = missing("rpm");

/** Real packages, built by rpm: with epoch, module label, vendor, files, a source of another name. */
function buildRpms(): string[] {
  writeFileSync(
    join(folder, "demo.spec"),
    `Name: demo
Version: 1.2.3
Release: 4.el9
Epoch: 2
Summary: Demonstration
License: GPLv2+ and (MIT or ISC)
Vendor: Example Corp
ModularityLabel: demo:18:9020020230327152102:rhel9
BuildArch: noarch
%description
x
%package -n demo-libs
Summary: Libraries
License: MIT
Version: 0.9
%description -n demo-libs
x
%install
mkdir -p %{buildroot}/usr/lib/python3/site-packages/thing-1.0.dist-info %{buildroot}/opt/many
echo "Name: thing" > %{buildroot}/usr/lib/python3/site-packages/thing-1.0.dist-info/METADATA
for i in $(seq 1 400); do echo $i > %{buildroot}/opt/many/a-file-with-a-rather-long-name-to-fill-pages-$i; done
%files
/usr/lib/python3
%files -n demo-libs
/opt/many
`,
  );
  run("rpmbuild", ["-bb", "--quiet", "--define", `_topdir ${folder}/build`, join(folder, "demo.spec")]);
  return run("find", [join(folder, "build/RPMS"), "-name", "*.rpm"])
    .trim()
    .split("\n");
}

/** A database of rpm, and what rpm itself reads from it. */
function sqliteDatabase(rpms: string[]): { path: string; answers: string[] } {
  const path = join(folder, "sqlite");
  mkdirSync(path);
  const options = ["--dbpath", path, "--define", "_db_backend sqlite"];
  run("rpm", [...options, "-i", "--justdb", "--nodeps", "--noscripts", "--ignorearch", "--ignoreos", ...rpms]);
  return { path, answers: query(options) };
}

function query(options: string[]): string[] {
  const format = "%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{ARCH} %{VENDOR} %{SOURCERPM}\\n";
  return run("rpm", [...options, "-qa", "--qf", format])
    .trim()
    .split("\n")
    .sort();
}

/** Debian's rpm only reads Berkeley DB: the blobs of another database, loaded by Berkeley DB's own tool. */
function berkeley(blobs: Buffer[]): string {
  const path = join(folder, "bdb");
  mkdirSync(path);
  const lines = blobs.flatMap((blob, at) => {
    const key = Buffer.alloc(4);
    key.writeUInt32LE(at + 1);
    return [` ${key.toString("hex")}`, ` ${blob.toString("hex")}`];
  });
  const next = [" 00000000", " 03000000"];
  const input = ["VERSION=3", "format=bytevalue", "type=hash", "HEADER=END", ...next, ...lines, "DATA=END", ""];
  run("db_load", [join(path, "Packages")], { input: input.join("\n") });
  return path;
}

const rpms = lack === false ? buildRpms() : [];
const made: Record<string, Buffer> = {};

function ours(name: string, content: Buffer): { answers: string[]; inventory: ReturnType<typeof inventoryOf> } {
  const inventory = inventoryOf({
    [`var/lib/rpm/${name}`]: content,
    "etc/os-release": "ID=rhel\nVERSION_ID=9.4\n",
    "usr/lib/python3/site-packages/thing-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
  });
  const answers = inventory.packages
    .filter(({ type }) => type === "rpm")
    .map((item) => {
      const upstream = new URLSearchParams(item.purl.split("?")[1]).get("upstream");
      return `${item.name} ${item.version} ${item.architecture} ${item.vendor ?? ""} ${upstream ?? ""}`;
    });
  return { answers: answers.sort(), inventory };
}

test("SQLite: what rpm itself reads; epoch, module, vendor, source, licence and owned files", { skip: lack }, () => {
  const { path, answers } = sqliteDatabase(rpms);
  made["rpmdb.sqlite"] = readFileSync(join(path, "rpmdb.sqlite"));
  const { inventory, answers: found } = ours("rpmdb.sqlite", made["rpmdb.sqlite"]);
  assert.deepEqual(found, answers);
  const demo = inventory.packages.find(({ name }) => name === "demo");
  assert.deepEqual(demo, {
    type: "rpm",
    name: "demo",
    version: "2:1.2.3-4.el9",
    architecture: "noarch",
    source: { name: "demo", version: "2:1.2.3-4.el9" },
    module: "demo:18",
    vendor: "Example Corp",
    purl: "pkg:rpm/rhel/demo@1.2.3-4.el9?arch=noarch&distro=rhel-9.4&epoch=2&rpmmod=demo:18&upstream=demo-1.2.3-4.el9.src.rpm",
    licences: ["GPL-2.0-or-later AND (MIT OR ISC)"],
    location: "/var/lib/rpm/rpmdb.sqlite",
    layer: null,
    step: null,
    origin: null,
    development: false,
    ownedBy: null,
  });
});

test("Berkeley DB: what rpm itself reads", { skip: lack }, () => {
  const rows = sqliteTable(made["rpmdb.sqlite"] ?? Buffer.alloc(0), "Packages") ?? [];
  const path = berkeley(
    [...rows].map(({ values }) => values[1]).filter((blob): blob is Buffer => blob instanceof Buffer),
  );
  made["Packages"] = readFileSync(join(path, "Packages"));
  const answers = query(["--dbpath", path, "--define", "_db_backend bdb_ro"]);
  assert.equal(answers.length, 2);
  assert.deepEqual(ours("Packages", made["Packages"]).answers, answers);
});

test("ndb: what rpm's own library wrote, with a package that was removed again", () => {
  made["Packages.db"] = gunzipSync(Buffer.from(ndb, "base64"));
  assert.deepEqual(ours("Packages.db", made["Packages.db"]).answers, [
    "other 3:1.0-2 noarch SUSE LLC <https://www.suse.com/> tiny-1.0-2.src.rpm",
    "tiny 1.0-2 noarch SUSE LLC <https://www.suse.com/> tiny-1.0-2.src.rpm",
  ]);
});

test("a database that is cut off, or has wrong bytes, is an error or a part, never a hang", { skip: lack }, () => {
  for (const [name, content] of Object.entries(made)) {
    const whole = ours(name, content).answers.length;
    const cut = inventoryOf({ [`var/lib/rpm/${name}`]: content.subarray(0, content.length / 2) });
    assert.ok(cut.packages.length === whole || cut.extractors[0]?.state !== "done", `${name} cut in half`);
    const scan = (bytes: Buffer): Inventory => inventoryOf({ [`var/lib/rpm/${name}`]: bytes });
    fc.assert(
      fc.property(damaged(content), (bytes) => void schema.parse(scan(bytes))),
      fuzzing(100),
    );
  }
});

test("changes that are not yet in the database are said", () => {
  const found = rpm.extract(Buffer.alloc(4096), "/var/lib/rpm/rpmdb.sqlite-wal");
  assert.match(found?.errors[0] ?? "", /newest packages may be missing/);
});

test("the list of an Azure Linux without rpm", () => {
  const { packages } = inventoryOf({
    "var/lib/rpmmanifest/container-manifest-2":
      "glibc\t2.35-7.cm2\t1699300000\t1698000000\tMicrosoft Corporation\t(none)\t10\tx86_64\t0\tglibc-2.35-7.cm2.src.rpm\n",
    "etc/os-release": "ID=mariner\nVERSION_ID=2.0\n",
  });
  assert.deepEqual(
    packages.map(({ name, version, vendor, source }) => [name, version, vendor, source.name]),
    [["glibc", "2.35-7.cm2", "Microsoft Corporation", "glibc"]],
  );
});

/**
 * Debian's rpm cannot write ndb: this `Packages.db` (gzip, base64) was written by lib/backend/ndb/rpmpkg.c of rpm 4.18 from
 * headers of three built rpms, `gone` deleted afterwards.
 */
const ndb = `
H4sIAAAAAAACA+2YT2wVRRzHZ1+LtFBCsYiIHHrABIzvdWdmd2eX4J9aqjRBrRQCRjTMzsy2L772Ne+9QiG9mHggxniRoxei8ejJgxoPJhr/EG
IwJv65cdAEFBDin3AAcfbt99G+jRfiQQ87ybztZ34zszP75/dJd9/87CSxZZWtjq29pLtM1eqttD0NtsAle0wb94Hz/QsuuOCCCy644IILLrjg
ggsuuOD/Fz9ei6cc/O8/vLrd9DAhPXvs8VFbbUvptD0O2qpt7cMw273ngj3eZWsJfBG8GvwzeC34kj3227oOfBm8HnwFnx82gn/F+M3ga4hvBf
+G+DD4T/Ao+DrmHwffRPxZ8F/ggxn39mL+I9meetNYj60z4H5wDbwG/efBa3F9FsED4A/B69D/I/B6xD8FD4K/Am/E+r7H+u7B+EuI34v+vyO+
GfEb2Tp778viTh94C/ggeHs2vzOL8U9m450W5t8DXgJPYPwr4EOIn8T45xB/DXwY8VPo/wLib4JfBL8FjrGejzFegz8HG/BZcAL+GlwDfwNu4f
wXMP8C+Cr4KM5/PeOhN7J4aTAbP/RZNl8Jz+PQj1n/0hbwT+h/GHwR8SMZO/icVnoPvArv0/vZ++Ssw/xfIL4BfA3P59VsfI+H/eATXU+I9W9C
fBfi0+DHwDPg3SmPkVZ17jihFZcw0mo/o+SlfpcfnW2/z6WpA1Pjw3v3jg3vmmm15ps7R0aOHTtWaS40TUXVZ0ceIU9N7CcH5przRlWTqtGkVp
1bWCRzddlQM8vppDR6+eW3O3OnlQiuYh76oQxCIUMv8pTknHHX5y4NWMgSrqXmkfaYSgKmpGdEpLVkUiqhI6lW5KpG3eau3E+6q7LdVZlVmg1V
aczb/dxCae84uxhrOtV2qFXj7WP12fmGaTaNfqJaM0/LWdPcQRBLW3ZXp02ztdw2KY/X6rLdublHHjWTDZNUF3cQXnErXpkSrxLYNaTH7JeG9k
IjrXZqCdvoay93eVtOe52LZGSh2RhpzsiGGVn5dxodIeVn2HB5mqj5ap1Mn6jOkwjXvqxNXJVz5ex+5Iujqw2jWvXGcTI6NTYxMdwyi53837fQ
SsohiYWm0iSRGzKjw0SJQGpXaY9T43FfaE4pkyyK/IS7gXI9l2sWU5V49va5LAqyuXTEjeZhIBMhlBLc932q7IwRY1okrp94zJjANoSM+Volmh
lPJz43nEUh9dqXoy2cW7dufAzh2Ndh8dv1n5yqkzNfbvth9N2R5NQVexYvCGMehUkgfCMC3w09Rj03shP5THHqekESxYRHLuVCuW5s7AMnfCF0
ElEZBVJRE9uqeOLGzKVUJzT0XT9m0mcBZyLiEY0pnmFcxjTn9XR46e4/9qautO4cT/1Zws1tv6GEPIicAH86H9yhP/ty/hwA/4L8Ppjz6cacTz
flfLo559OtOZ8O53y6LefT8ZxPJ3I+PZDz6fPIPx1/xeCOrxZyvlrq9hU52e0r8l23r8hljId/bvsP/iHXwR2fkJxPVud8MpDzyYacT4aQ3+EH
Z3u3H5yHuv3gsG4/tH26wg/OYrcfOj7r+ME51+0H53zOD/3dfijtxXrhg9Jktw9K+7t9UDqU+aDemjENCKFdelItrHAC+XdO+IfMnJ3yv8zHfX
xnln3vIJ8iT8qER4YqGsnEE6HNmEK6PDZRaBIZ6SiWkrEwiaPEZkJuc5IOtIipJ6kX+NLzo2wuxrXrMRZ7iZG2uxDUhIIJj8YxF66I3JgrbeUY
GpnEXkAZ5zZlunHoxb6QzKzIkzfP386TvTvuP+Fc23/27MDr7xw8XXt1elQZ44pYMSptSvMYl6GJteEqze1U+4EKuScSXxEdhnbJvvJ9a1y7qt
hnrgoCLxJhEjI/CFzP51T5rgisKXhk1+K7gUul3WsY+Ho5Ty51cqR/5twDaS5M8yMpSlGKUpSitMvfEykX+XAhAAA=
`;
