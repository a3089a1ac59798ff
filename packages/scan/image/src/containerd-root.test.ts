import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fuzzing, makeLayout, makeTar } from "@bulwark/testkit";
import fc from "fast-check";
import { boltFile } from "./bolt.fixture.ts";
import { openBolt, type Bucket } from "./bolt.ts";
import { containerdRootImages, openFromContainerdRoot } from "./containerd-root.ts";
import { ImageError } from "./error.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bulwark-root-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(database: Buffer): string {
  const file = join(folder, "io.containerd.metadata.v1.bolt/meta.db");
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, database);
  return file;
}

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const named = (letter: string): { target: { digest: string; mediatype: string } } => ({
  target: { digest: digest(letter), mediatype: "x" },
});
const database = {
  v1: {
    "k8s.io": { images: { "docker.io/library/web:1": named("a"), "docker.io/library/web:2": named("b") }, leases: {} },
    moby: { images: { "docker.io/library/web:1": named("c") } },
    empty: {},
    version: "4",
  },
};
const expected = [
  ["k8s.io", "docker.io/library/web:1", digest("a")],
  ["k8s.io", "docker.io/library/web:2", digest("b")],
  ["moby", "docker.io/library/web:1", digest("c")],
];

test("the images of every namespace, whether buckets lie in their parents or in pages of their own", () => {
  for (const split of [false, true]) {
    write(boltFile(database, split));
    assert.deepEqual(
      containerdRootImages(folder).map((image) => [image.namespace, image.name, image.digest]),
      expected,
    );
  }
});

test("an image is read from the content store as it lies there", async () => {
  const layout = makeLayout(folder, [makeTar(folder, { a: "1" })]);
  cpSync(join(layout, "blobs"), join(folder, "io.containerd.content.v1.content/blobs"), { recursive: true });
  const { manifests } = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as {
    manifests: [{ digest: string }];
  };
  await using tree = await openFromContainerdRoot(folder, { name: "web", digest: manifests[0].digest });
  const paths: string[] = [];
  for await (const { path } of tree.files(() => true)) paths.push(path);
  assert.deepEqual(paths, ["/a"]);
  await assert.rejects(openFromContainerdRoot(folder, { name: "web", digest: digest("d") }), /is not there/);
  await assert.rejects(openFromContainerdRoot(folder, { name: "web", digest: "sha256:../../x" }), /which is none/);
});

test("what is no such folder is said, and where its database is damaged", () => {
  assert.throws(() => containerdRootImages(join(folder, "nothing")), /is no root folder of containerd/);
  write(Buffer.alloc(16_384));
  assert.throws(() => containerdRootImages(folder), /no database of bbolt/);
  write(boltFile(database, true).subarray(0, 9000));
  assert.throws(() => containerdRootImages(folder), /cut off/);
});

test("no file, however spoiled, makes it hang, read outside or raise anything but what it says", () => {
  const good = boltFile(database, true);
  const file = write(good);
  const walk = (bucket: Bucket, depth = 0): number =>
    depth > 20 ? 0 : bucket.buckets().reduce((sum, name) => sum + walk(bucket.bucket(name) ?? bucket, depth + 1), 1);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 8193), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 20 }),
      (changes) => {
        const bytes = Buffer.from(good);
        // Behind the two states, which have a checksum.
        for (const [at, value] of changes) bytes[8192 + at] = value;
        writeFileSync(file, bytes);
        try {
          using opened = openBolt(file);
          walk(opened.root);
        } catch (error) {
          assert.ok(error instanceof ImageError, String(error));
        }
      },
    ),
    fuzzing(200),
  );
});
