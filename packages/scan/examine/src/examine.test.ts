import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openFromStore, openImage, type ContentStore, type Examined, type FileTree } from "@bulwark/image";
import { makeLayout, makeTar } from "@bulwark/testkit";
import { analyzers } from "./analyzers.fixture.ts";
import { LayerCache } from "./cache.ts";
import { examineWith, type ExamineOptions } from "./examine.ts";

const registry = { module: new URL("analyzers.fixture.ts", import.meta.url).href, analyzers, version: () => "1" };

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bulwark-examine-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function read(tree: FileTree, options?: ExamineOptions): Promise<Examined<string>> {
  return (await examineWith(registry, tree, ["reading"], options)).results.reading;
}

function said({ facts }: Examined<string>): string[] {
  return facts.map(({ entry, fact, removed }) => `${entry.path} ${fact}${removed ? " removed" : ""}`);
}

function twoLayers(): string {
  return makeLayout(folder, [
    gzipSync(makeTar(folder, { a: "1", gone: "1", big: randomBytes(3_000_000) })),
    makeTar(folder, { a: "2", ".wh.gone": "" }),
  ]);
}
const expected = ["/a 1 removed", "/a 2", "/gone 1 removed"];

test("threads say of a tree what one thread says, in the same order", async () => {
  await using tree = await openImage(twoLayers());
  const examined = await read(tree);
  assert.deepEqual(said(examined), expected);
  assert.deepEqual(
    examined.faults.map(({ entry, message }) => [entry.path, message]),
    [["/big", "3000000 bytes: above the limit of 1000000"]],
  );
});

test("layers that do not lie in a file are streamed to the threads, and are held against their digest", async () => {
  const blobs = new Map<string, Buffer>();
  const put = (data: Buffer | object): { digest: string; size: number } => {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(JSON.stringify(data));
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  };
  const layer = put(makeTar(folder, { a: "1", big: randomBytes(20_000_000), b: "2" }));
  const { digest } = put({ config: put({}), layers: [layer] });
  const store = (spoil: boolean): ContentStore => ({
    async readBlob(name) {
      const bytes = Buffer.from(blobs.get(name) ?? "");
      if (spoil && name === layer.digest) bytes[bytes.length - 1] = 1;
      return (async function* pieces() {
        for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
      })();
    },
    async [Symbol.asyncDispose]() {},
  });
  const open = async (spoil: boolean): Promise<FileTree> =>
    openFromStore(store(spoil), { name: "x", digest, platform: { os: "linux", architecture: "amd64" } });
  await using tree = await open(false);
  const bytes: number[] = [];
  const examined = await read(tree, { onProgress: (progress) => bytes.push(progress.bytes) });
  assert.deepEqual(said(examined), ["/a 1", "/b 2"]);
  assert.deepEqual(examined.tree.faults, []);
  assert.equal(bytes.at(-1), layer.size);
  await using spoiled = await open(true);
  assert.match((await read(spoiled)).tree.faults[0]?.message ?? "", /has the digest/);
});

test("what is kept of a layer is used again, by analyzer, and says the same", async () => {
  const path = twoLayers();
  const cache = new LayerCache(join(folder, "cache"));
  for (const [hits, misses] of [
    [0, 2],
    [2, 2],
  ]) {
    await using tree = await openImage(path);
    const examined = await read(tree, { cache });
    assert.deepEqual(said(examined), expected);
    assert.equal(examined.faults.length, 1);
    assert.deepEqual(cache.counters, { hits, misses });
  }
  await using tree = await openImage(path);
  const both = await examineWith(registry, tree, ["reading", "sizes"], { cache });
  assert.deepEqual(said(both.results.reading), expected);
  assert.equal(both.results.sizes, 3_000_003);
});

test("a spoiled cache is no cache, a full one forgets what was used longest ago", async () => {
  const path = twoLayers();
  const cache = new LayerCache(join(folder, "cache"), 1);
  await using tree = await openImage(path);
  await read(tree, { cache });
  assert.equal(cache.status().bytes, 0);
  const roomy = new LayerCache(join(folder, "cache"));
  await read(tree, { cache: roomy });
  for (const name of readdirSync(roomy.folder)) writeFileSync(join(roomy.folder, name), "spoiled");
  assert.deepEqual(said(await read(tree, { cache: roomy })), expected);
});

test("a layer that cannot be read whole is not kept", async () => {
  const layer = gzipSync(makeTar(folder, { a: "1" }));
  const path = makeLayout(folder, [layer.subarray(0, layer.length - 10)]);
  const cache = new LayerCache(join(folder, "cache"));
  await using tree = await openImage(path);
  assert.equal((await read(tree, { cache })).tree.faults.length, 1);
  assert.equal(cache.status().files, 0);
});

test("an analyzer that never ends, or ends its thread, costs that layer and no other", async () => {
  for (const [harm, message] of [
    ["hang", /took more than 5 s/],
    ["exit", /thread (?:that helped )?ended/],
  ] as const) {
    const path = makeLayout(folder, [makeTar(folder, { a: harm }), makeTar(folder, { b: "good" })]);
    await using tree = await openImage(path);
    const examined = await read(tree, { timeLimit: 5000 });
    assert.deepEqual(said(examined), ["/b good"]);
    assert.match(examined.tree.faults[0]?.message ?? "", message);
  }
});

test("a thread that has nothing left to do helps one that still reads a layer", async () => {
  const files: Record<string, Buffer> = {};
  for (let at = 0; at < 200; at++) files[`d/f${at}`] = randomBytes(100_000);
  const layers = [makeTar(folder, files), makeTar(folder, { small: "1" })];
  await using tree = await openImage(makeLayout(folder, layers));
  assert.ok(tree.content.kind === "layers");
  const [large] = tree.content.layers;
  assert.ok(large);
  const smallIsDone = Promise.withResolvers<void>();
  large.place = null;
  large.read = async () =>
    (async function* pieces() {
      const bytes = layers[0] ?? Buffer.of();
      yield bytes.subarray(0, 2_000_000);
      await smallIsDone.promise;
      // Help is offered in the next turn.
      await new Promise((resolve) => setTimeout(resolve, 10));
      for (let at = 2_000_000; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    })();
  const { results } = await examineWith(registry, tree, ["threads"], {
    threads: 2,
    onProgress: ({ done }) => done === 1 && smallIsDone.resolve(),
  });
  const { facts } = results.threads;
  assert.deepEqual(
    facts.map(({ entry }) => entry.path),
    ["/small", ...Object.keys(files).map((name) => `/${name}`)].toSorted((a, b) => (a < b ? -1 : 1)),
  );
  const ofLarge = facts.filter(({ entry }) => entry.path !== "/small").map(({ fact }) => fact);
  assert.equal(new Set(ofLarge).size, 2);
});

test("a folder is examined in threads as well", async () => {
  const root = join(folder, "root");
  for (let at = 0; at < 2000; at++) {
    mkdirSync(join(root, `d${at % 50}`), { recursive: true });
    writeFileSync(join(root, `d${at % 50}`, `f${at}`), String(at));
  }
  await using tree = await openImage(root);
  const examined = await read(tree);
  assert.equal(examined.facts.length, 2000);
  assert.deepEqual(
    examined.facts.map(({ entry }) => entry.path),
    examined.facts.map(({ entry }) => entry.path).toSorted((a, b) => (a < b ? -1 : 1)),
  );
});
