import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { damaged, fuzzing, makeLayout, makeTar, run } from "@bulwark/testkit";
import fc from "fast-check";
import { ImageError } from "./error.ts";
import type { FileTree } from "./image.ts";
import { openImage } from "./open.ts";
import { readTar } from "./tar.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bulwark-image-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const tar = (files: Record<string, string>, extra?: (root: string) => void): Buffer => makeTar(folder, files, extra);
const layout = (layers: Buffer[]): string => makeLayout(folder, layers);

async function contents(
  tree: FileTree,
  wants: (path: string) => boolean = () => true,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const file of tree.files(wants)) {
    assert.equal(found[file.path], undefined, `${file.path} comes twice`);
    found[file.path] = (await file.read(1e6)).toString();
  }
  return found;
}

test("upper layers win, whiteouts remove, opaque folders hide, whatever the layers are packed with", async () => {
  const path = layout([
    gzipSync(tar({ a: "1", "d/x": "1", "d/y": "1", "o/old": "1", "file/was/folder": "1", gone: "1" })),
    zstdCompressSync(tar({ a: "2", "d/.wh.x": "", "o/.wh..wh..opq": "", "o/new": "2", ".wh.gone": "" })),
    tar({ "d/z": "3", file: "3" }),
  ]);
  await using tree = await openImage(path);
  assert.deepEqual(await contents(tree), { "/d/z": "3", "/file": "3", "/a": "2", "/o/new": "2", "/d/y": "1" });
});

test("a hard link has the content of what it links to, and names that are long come whole", async () => {
  const long = `${"n".repeat(90)}/${"m".repeat(200)}`;
  const layer = tar({ [long]: "long" }, (root) => {
    writeFileSync(join(root, "one"), "linked");
    run("ln", [join(root, "one"), join(root, "two")]);
  });
  await using tree = await openImage(layout([layer]));
  assert.equal((await contents(tree, (path) => path === `/${long}`))[`/${long}`], "long");
  await using again = await openImage(layout([layer]));
  assert.deepEqual(Object.values(await contents(again, (path) => path === "/two")), ["linked"]);
});

test("an archive of docker save, old layout, is opened and its layers are checked", async () => {
  const layer = tar({ "etc/os-release": "ID=debian" });
  const diff = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  const make = (id: string): string => {
    const root = mkdtempSync(join(folder, "save-"));
    mkdirSync(join(root, "abc"));
    writeFileSync(join(root, "abc/layer.tar"), layer);
    writeFileSync(join(root, "config.json"), JSON.stringify({ rootfs: { diff_ids: [id] } }));
    writeFileSync(
      join(root, "manifest.json"),
      JSON.stringify([{ Config: "config.json", RepoTags: ["x:1"], Layers: ["abc/layer.tar"] }]),
    );
    run("tar", ["-C", root, "-cf", `${root}.tar`, "manifest.json", "config.json", "abc"]);
    return `${root}.tar`;
  };
  await using tree = await openImage(make(diff));
  assert.equal(tree.name, "x:1");
  assert.deepEqual(await contents(tree), { "/etc/os-release": "ID=debian" });
  await using lying = await openImage(make(`sha256:${"0".repeat(64)}`));
  await assert.rejects(contents(lying), (error) => error instanceof ImageError && error.code === "broken");
});

test("a blob that is not what its digest says is refused", async () => {
  const path = layout([tar({ a: "1" })]);
  const index = JSON.parse(readFileSync(join(path, "index.json"), "utf8")) as { manifests: { digest: string }[] };
  const file = join(path, "blobs/sha256", index.manifests[0]?.digest.slice(7) ?? "");
  writeFileSync(file, `${readFileSync(file, "utf8")} `);
  await assert.rejects(openImage(path), (error) => error instanceof ImageError && error.code === "broken");
});

test("a root file system is read without leaving it, whatever its links say", async () => {
  const root = join(folder, "root");
  mkdirSync(join(root, "etc"), { recursive: true });
  mkdirSync(join(root, "usr/lib"), { recursive: true });
  writeFileSync(join(folder, "secret"), "outside");
  writeFileSync(join(root, "usr/lib/os-release"), "inside");
  symlinkSync("/usr/lib/os-release", join(root, "etc/os-release"));
  symlinkSync("../../secret", join(root, "etc/escape"));
  symlinkSync(join(folder, "secret"), join(root, "etc/absolute"));
  symlinkSync("loop", join(root, "etc/loop"));
  run("mkfifo", [join(root, "etc/fifo")]);
  await using tree = await openImage(root);
  assert.deepEqual(await contents(tree), { "/etc/os-release": "inside", "/usr/lib/os-release": "inside" });
});

test("a file above the limit is an error that can be told, not memory", async () => {
  await using tree = await openImage(layout([tar({ a: "x".repeat(5000) })]));
  for await (const file of tree.files(() => true)) {
    await assert.rejects(file.read(100), (error) => error instanceof ImageError && error.code === "too-large");
  }
});

test("whatever is done to an archive, it is read or refused as broken", async () => {
  const whole = tar({ a: "1", "b/c": "2".repeat(3000) });
  async function* chunks(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
  }
  await fc.assert(
    fc.asyncProperty(damaged(whole), fc.integer({ min: 1, max: 2000 }), async (data, size) => {
      try {
        for await (const entry of readTar(chunks(data, size))) if (entry.type === "file") await entry.read(10_000);
      } catch (error) {
        assert.ok(error instanceof ImageError, String(error));
      }
    }),
    fuzzing(300),
  );
});
