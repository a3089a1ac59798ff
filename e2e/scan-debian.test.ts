/** Images of three releases of Debian, in three forms: the packages that dpkg itself tells. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { debianArchive, makeLayout, missing, run } from "@bulwark/testkit";
import { scannerIn, troubles } from "./scan-call.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-e2e-debian-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const { scan } = scannerIn(folder);

/** How `docker save` packed before OCI: a folder a layer, plain. */
function oldDockerArchive(layer: Buffer): string {
  const place = mkdtempSync(join(folder, "saved-"));
  const digest = createHash("sha256").update(layer).digest("hex");
  mkdirSync(join(place, digest));
  writeFileSync(join(place, digest, "layer.tar"), layer);
  const config = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] } };
  writeFileSync(join(place, "config.json"), JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: ["debian:11"], Layers: [`${digest}/layer.tar`] }];
  writeFileSync(join(place, "manifest.json"), JSON.stringify(manifest));
  run("tar", ["-C", place, "-cf", `${place}.tar`, "manifest.json", "config.json", digest]);
  return `${place}.tar`;
}

function layoutArchive(layer: Buffer): string {
  const layout = makeLayout(folder, [layer], { architecture: "amd64", os: "linux" });
  run("tar", ["-C", layout, "-cf", `${layout}.tar`, "."]);
  return `${layout}.tar`;
}

const releases = [
  { name: "bullseye", version: "11", form: oldDockerArchive },
  { name: "bookworm", version: "12", form: (layer: Buffer) => layoutArchive(gzipSync(layer, { level: 1 })) },
  { name: "trixie", version: "13", form: (layer: Buffer) => makeLayout(folder, [zstdCompressSync(layer)]) },
];

for (const { name, version, form } of releases) {
  test(`Debian ${version}`, { skip: missing("root", "mmdebstrap"), timeout: 600_000 }, async () => {
    const archive = debianArchive(name);
    const admin = join(folder, name);
    mkdirSync(admin);
    run("tar", ["-C", admin, "--strip-components=4", "-xf", archive, "./var/lib/dpkg/status"]);
    const format = "${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n";
    const told = run("dpkg-query", ["--admindir", admin, "-W", "-f", format])
      .split("\n")
      .filter((line) => line.startsWith("installed "))
      .map((line) => line.slice("installed ".length));
    assert.ok(told.length > 40, `${told.length} lines of dpkg-query`);

    const image = form(readFileSync(archive));
    const { report } = await scan("image", image, "--offline");
    assert.deepEqual(
      report.packages
        .filter(({ type }) => type === "deb")
        .map((item) => `${item.name} ${item.version} ${item.architecture} ${item.source.name} ${item.source.version}`)
        .toSorted(),
      told.toSorted(),
    );
    assert.deepEqual([report.os?.id, report.os?.version], ["debian", version]);
    assert.deepEqual(troubles(report), []);
    assert.ok(report.packages.every(({ layer }) => layer?.startsWith("sha256:")));
  });
}
