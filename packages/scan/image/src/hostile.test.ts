import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { linkSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { damaged, fuzzing, makeLayout, makeTar, run } from "@bulwark/testkit";
import fc from "fast-check";
import type { Analyzer } from "./analyzer.ts";
import { ImageError } from "./error.ts";
import { examineTree } from "./examine-tree.ts";
import { examineLayer, type LayerFacts } from "./layer-facts.ts";
import { openImage } from "./open.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bulwark-hostile-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const reading: Analyzer<string, null> = {
  name: "reading",
  limit: 100_000,
  wants: () => true,
  examine: (_, content) => content.toString("latin1", 0, 20),
  conclude: () => null,
};

async function examine(
  data: Buffer,
  digest = `sha256:${createHash("sha256").update(data).digest("hex")}`,
): Promise<LayerFacts> {
  const read = async (): Promise<AsyncIterable<Uint8Array>> =>
    (async function* pieces() {
      for (let at = 0; at < data.length; at += 1000) yield data.subarray(at, at + 1000);
    })();
  return examineLayer({ digest, digestOf: "stored", read }, [reading]);
}

function said({ files }: LayerFacts): string[] {
  return files.map(
    ({ entry, facts, faults, replaced }) =>
      `${entry.path}: ${(facts["reading"] as string | undefined) ?? faults["reading"] ?? ""}${replaced ? ", replaced" : ""}`,
  );
}

interface Member {
  name: string | Buffer;
  content?: string;
  flag?: string;
  target?: string;
  /** What the header says; else the truth. */
  size?: number;
}

/** A tar archive as nobody's tar would write it. */
function forged(members: Member[]): Buffer {
  const blocks = members.flatMap(({ name, content = "", flag = "0", target = "", size = content.length }) => {
    const header = Buffer.alloc(512);
    Buffer.from(name).copy(header, 0, 0, 100);
    header.write("0000644\0", 100);
    header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write(flag, 156);
    header.write(target, 157);
    header.write("ustar\u000000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    body.write(content);
    return [header, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

test("entries that lead out of the tree are passed over and told, the others are examined", async () => {
  const facts = await examine(
    forged([
      { name: "../../etc/passwd", content: "out" },
      { name: "a/../../b", content: "out" },
      { name: "/etc/inside", content: "in" },
    ]),
  );
  assert.deepEqual(said(facts), ["/etc/inside: in"]);
  assert.deepEqual(facts.faults, [
    'an entry leads out of the tree, and is passed over: "../../etc/passwd"',
    "1 more entries lead out of the tree",
  ]);
});

test("links in a loop, into nothing, or out of the tree end as faults of their own", async () => {
  const facts = await examine(
    forged([
      { name: "a", flag: "1", target: "b" },
      { name: "b", flag: "1", target: "a" },
      { name: "c", flag: "1", target: "../../etc/shadow" },
      { name: "d", flag: "2", target: "d" },
      { name: "good", content: "good" },
    ]),
  );
  const [a, b, c, good] = said(facts);
  for (const line of [a, b, c]) assert.match(line ?? "", /a hard link to .*, which its layer has not/);
  assert.equal(good, "/good: good");
});

test("devices and FIFOs are not read, whatever size they claim", async () => {
  const facts = await examine(
    forged([
      { name: "dev/sda", flag: "4", size: 5_000_000 },
      { name: "fifo", flag: "6", size: 5_000_000 },
      { name: "good", content: "good" },
    ]),
  );
  assert.deepEqual(said(facts), ["/good: good"]);
  assert.equal(facts.whole, true);
});

test("a size that is not true ends the layer with a fault, and takes no memory", async () => {
  for (const size of [90_000, 0o77777777777]) {
    const facts = await examine(
      forged([
        { name: "good", content: "good" },
        { name: "lies", content: "x", size },
      ]),
    );
    assert.equal(said(facts)[0], "/good: good");
    assert.match(facts.faults[0] ?? "", /cut off/);
    assert.equal(facts.whole, false);
  }
});

test("of the same path twice the last one stays, as when it is unpacked, and both are examined", async () => {
  const facts = await examine(
    forged([
      { name: "a", content: "first" },
      { name: "./a", content: "second" },
    ]),
  );
  assert.deepEqual(said(facts), ["/a: first, replaced", "/a: second"]);
});

test("names that are no UTF-8 stay apart", async () => {
  const names = [Buffer.from([0x61, 0xe9]), Buffer.from([0x61, 0xe8])];
  const facts = await examine(forged(names.map((name, at) => ({ name, content: String(at) }))));
  assert.deepEqual(said(facts), ["/aè: 1", "/aé: 0"]);
});

test("sparse files are as they are when unpacked, in every format of GNU tar", async () => {
  writeFileSync(join(folder, "sparse"), "begin");
  truncateSync(join(folder, "sparse"), 50_000);
  writeFileSync(join(folder, "sparse"), "end", { flag: "a" });
  writeFileSync(join(folder, "after"), "after");
  linkSync(join(folder, "after"), join(folder, "link"));
  for (const format of [
    ["--format=gnu"],
    ...["0.0", "0.1", "1.0"].map((version) => ["--format=pax", `--sparse-version=${version}`]),
  ]) {
    run("tar", ["-C", folder, "-cSf", join(folder, "x.tar"), ...format, "sparse", "after"]);
    const data = Buffer.from(run("base64", ["-w0", join(folder, "x.tar")]), "base64");
    const facts = await examine(data);
    assert.deepEqual(facts.faults, []);
    assert.deepEqual(
      facts.files.map(({ entry }) => `${entry.path} ${entry.size}`),
      ["/after 5", "/sparse 50003"],
      format.join(" "),
    );
    assert.match(said(facts)[1] ?? "", /^\/sparse: begin\0/);
  }
});

test("a small file that unpacks to a large one costs time and no memory", async () => {
  const before = process.memoryUsage().rss;
  const zeros = gzipSync(
    Buffer.concat([forged([{ name: "zeros", size: 60_000_000 }]).subarray(0, 512), Buffer.alloc(60_000_512)]),
  );
  const facts = await examine(zeros);
  assert.deepEqual(said(facts), ["/zeros: 60000000 bytes: above the limit of 100000"]);
  assert.ok(process.memoryUsage().rss - before < 200_000_000);
});

test("whatever is done to a layer, it gives facts and faults, and never an error or a wait", async () => {
  const plain = makeTar(folder, { a: "1", "b/c": "2".repeat(3000), ["n".repeat(120)]: "3" }, (root) =>
    linkSync(join(root, "a"), join(root, "d")),
  );
  for (const whole of [plain, gzipSync(plain), zstdCompressSync(plain)]) {
    await fc.assert(
      fc.asyncProperty(damaged(whole), async (data) => {
        const facts = await examine(data);
        assert.ok(facts.whole || facts.faults.length > 0);
      }),
      fuzzing(120),
    );
  }
  // Damage that the compression does not notice.
  await fc.assert(
    fc.asyncProperty(damaged(plain), async (data) => {
      const facts = await examine(gzipSync(data, { level: 1 }));
      assert.ok(facts.whole || facts.faults.length > 0);
    }),
    fuzzing(120),
  );
});

test("whatever is done to an archive of an image, it is opened and examined, or an error of ours", async () => {
  const layer = makeTar(folder, { "etc/os-release": "ID=debian\n", "app/a": "1" });
  const config = { architecture: "amd64", os: "linux", config: { Env: ["A=b"], Labels: { a: "b" } } };
  const layout = makeLayout(folder, [layer, gzipSync(layer)], config);
  const oci = join(folder, "oci.tar");
  run("tar", ["-C", layout, "-cf", oci, "."]);
  const hex = (data: Buffer): string => createHash("sha256").update(data).digest("hex");
  const saved = makeTar(folder, {
    "manifest.json": JSON.stringify([{ Config: "c.json", RepoTags: ["a:1"], Layers: ["l/layer.tar"] }]),
    "c.json": JSON.stringify({ ...config, rootfs: { diff_ids: [`sha256:${hex(layer)}`] } }),
    "l/layer.tar": layer,
  });
  const file = join(folder, "damaged.tar");
  for (const whole of [readFileSync(oci), saved]) {
    await fc.assert(
      fc.asyncProperty(damaged(whole), async (data) => {
        writeFileSync(file, data);
        try {
          await using tree = await openImage(file);
          assert.equal(tree.content.kind, "layers");
          await examineTree(tree, { reading });
        } catch (error) {
          assert.ok(error instanceof ImageError, String(error));
        }
      }),
      fuzzing(80),
    );
  }
});
