import assert from "node:assert/strict";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Analyzer, Examined } from "./analyzer.ts";
import { examineTree } from "./examine-tree.ts";
import { makeLayout, makeTar } from "@bulwark/testkit";
import { openImage } from "./open.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bulwark-examine-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Says of every file what is in it, and refuses those that say so. */
function reading(wants: (path: string) => boolean = () => true): Analyzer<string, Examined<string>> {
  return {
    name: "reading",
    limit: 1000,
    wants: ({ path }) => wants(path),
    examine(_, content) {
      if (content.includes("refuse")) throw new Error("refused");
      return content.length === 0 ? undefined : content.toString();
    },
    conclude: (examined) => examined,
  };
}

async function examine(path: string, wants?: (path: string) => boolean): Promise<Examined<string>> {
  await using tree = await openImage(path);
  const { results } = await examineTree(tree, { reading: reading(wants) });
  return results.reading;
}

function lines({ facts, tree }: Examined<string>): string[] {
  const height = new Map(tree.layers.map(({ digest }, at) => [digest, at]));
  return facts.map(({ entry, fact, removed }) =>
    `${entry.path} ${fact}${removed ? " removed" : ""} ${height.get(entry.layer ?? "") ?? ""}`.trim(),
  );
}

test("each file of each layer is examined; what a later layer replaced or deleted is marked", async () => {
  const path = makeLayout(folder, [
    gzipSync(
      makeTar(folder, { a: "1", "d/x": "1", "d/y": "1", "o/old": "1", "file/was/folder": "1", gone: "1", "n/f": "1" }),
    ),
    zstdCompressSync(makeTar(folder, { a: "2", "d/.wh.x": "", "o/.wh..wh..opq": "", "o/new": "2", ".wh.gone": "" })),
    makeTar(folder, { "d/z": "3", file: "3", "n/f/is/folder": "3" }),
  ]);
  assert.deepEqual(lines(await examine(path)), [
    "/a 1 removed 0",
    "/a 2 1",
    "/d/x 1 removed 0",
    "/d/y 1 0",
    "/d/z 3 2",
    "/file 3 2",
    "/file/was/folder 1 removed 0",
    "/gone 1 removed 0",
    "/n/f 1 removed 0",
    "/n/f/is/folder 3 2",
    "/o/new 2 1",
    "/o/old 1 removed 0",
  ]);
});

test("history tells the step of each layer, and where the base image ends", async () => {
  const path = makeLayout(
    folder,
    [makeTar(folder, { a: "1" }), makeTar(folder, { b: "2" }), makeTar(folder, { c: "3" })],
    {
      architecture: "amd64",
      os: "linux",
      config: { User: "app", Env: ["A=b"], Healthcheck: { Test: ["CMD", "true"] }, ExposedPorts: { "80/tcp": {} } },
      history: [
        { created_by: "/bin/sh -c #(nop) ADD file:1234 in / " },
        { created_by: '/bin/sh -c #(nop)  CMD ["bash"]', empty_layer: true },
        { created_by: "RUN /bin/sh -c apt-get install nginx # buildkit" },
        { created_by: "COPY app /app # buildkit" },
        { created_by: 'ENTRYPOINT ["/app"]', empty_layer: true },
      ],
    },
  );
  const { tree } = await examine(path);
  assert.deepEqual(
    tree.layers.map(({ step, origin }) => [step, origin]),
    [
      ["ADD file:1234 in /", "base"],
      ["RUN apt-get install nginx", "application"],
      ["COPY app /app", "application"],
    ],
  );
  assert.deepEqual(
    [tree.config?.user, tree.config?.environment, tree.config?.healthcheck, tree.config?.exposedPorts],
    ["app", ["A=b"], true, ["80/tcp"]],
  );
});

test("the distribution is told by the topmost layer that has its file", async () => {
  const path = makeLayout(folder, [
    makeTar(folder, { "etc/os-release": "old", "usr/lib/os-release": "lib", "etc/debian_version": "12" }),
    makeTar(folder, { "etc/os-release": "new", "etc/.wh.debian_version": "" }),
  ]);
  const { tree } = await examine(path, () => false);
  assert.deepEqual(
    [...tree.osRelease].sort(([a], [b]) => (a < b ? -1 : 1)),
    [
      ["/etc/os-release", "new"],
      ["/usr/lib/os-release", "lib"],
    ],
  );
});

test("a hard link has the content of what it leads to, whichever of the two is asked for", async () => {
  const layer = makeTar(folder, { one: "linked" }, (root) => linkSync(join(root, "one"), join(root, "two")));
  assert.deepEqual(lines(await examine(makeLayout(folder, [layer]))), ["/one linked 0", "/two linked 0"]);
  for (const name of ["/one", "/two"]) {
    assert.deepEqual(lines(await examine(makeLayout(folder, [layer]), (path) => path === name)), [`${name} linked 0`]);
  }
  const upper = makeTar(folder, { ".wh.one": "" });
  assert.deepEqual(lines(await examine(makeLayout(folder, [layer, upper]))), [
    "/one linked removed 0",
    "/two linked 0",
  ]);
});

test("a file that is too large, or refused, is a fault of its own and hides no other", async () => {
  const path = makeLayout(folder, [makeTar(folder, { large: "x".repeat(5000), bad: "refuse", good: "good" })]);
  const { facts, faults } = await examine(path);
  assert.deepEqual(
    facts.map(({ fact }) => fact),
    ["good"],
  );
  assert.deepEqual(
    faults.map(({ entry, message }) => [entry.path, message]),
    [
      ["/bad", "refused"],
      ["/large", "5000 bytes: above the limit of 1000"],
    ],
  );
});

test("a layer that is cut off or not what its digest says is told, and the others are examined", async () => {
  const good = makeTar(folder, { good: "good" });
  const cut = gzipSync(makeTar(folder, { cut: "cut" }));
  const path = makeLayout(folder, [cut.subarray(0, cut.length - 20), good]);
  const examined = await examine(path);
  assert.ok(lines(examined).includes("/good good 1"));
  assert.match(examined.tree.faults[0]?.message ?? "", /could not be read to its end/);
  assert.equal(examined.tree.faults[0]?.layer, examined.tree.layers[0]?.digest);
});

test("of a root file system nothing outside is read, whatever its links say", async () => {
  const root = join(folder, "root");
  mkdirSync(join(root, "usr/lib"), { recursive: true });
  writeFileSync(join(folder, "secret"), "outside");
  writeFileSync(join(root, "usr/lib/os-release"), "inside");
  symlinkSync("../../secret", join(root, "escape"));
  symlinkSync("..", join(root, "up"));
  symlinkSync(".", join(root, "loop"));
  mkdirSync(join(root, "proc"));
  writeFileSync(join(root, "proc/kernel"), "kernel");
  const examined = await examine(root);
  assert.deepEqual(lines(examined), ["/usr/lib/os-release inside"]);
  assert.equal(examined.tree.osRelease.get("/usr/lib/os-release"), "inside");
});
