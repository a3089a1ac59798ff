import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { eventually, freePort, makeLayout, makeTar, missing, run, startDaemon, type Daemon } from "@bulwark/testkit";
import type { Examined } from "../analyzer.ts";
import { examineTree } from "../examine-tree.ts";
import { openImage } from "../open.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-registry-"));
const skip = missing("registry", "skopeo");
let registry: Daemon | undefined;
let address = "";

before(async () => {
  if (skip !== false) return;
  address = `127.0.0.1:${await freePort()}`;
  const config = `version: 0.1\nstorage: { filesystem: { rootdirectory: ${folder}/blobs } }\nhttp: { addr: "${address}" }\n`;
  writeFileSync(join(folder, "registry.yml"), config);
  registry = startDaemon("docker-registry", ["serve", join(folder, "registry.yml")]);
  await eventually("the registry answers", async () => (await fetch(`http://${address}/v2/`)).ok || undefined, 60_000);
});
after(async () => {
  await registry?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function texts(name: string): Promise<string[]> {
  await using tree = await openImage(name, { from: name.startsWith("/") ? "file" : "registry" });
  const { results } = await examineTree(tree, {
    texts: {
      name: "texts",
      limit: 1000,
      wants: () => true,
      examine: (_, content) => content.toString(),
      conclude: ({ facts, tree }: Examined<string>) => [
        ...facts.map(({ entry, fact, removed }) => `${entry.path} ${fact}${removed ? " removed" : ""}`),
        ...tree.faults.map(({ message }) => message),
      ],
    },
  });
  return results.texts;
}

test(
  "what skopeo pushed to a registry of Debian is what is read from it, and the same as the layout",
  { skip },
  async () => {
    const layers = [
      gzipSync(makeTar(folder, { a: "1", gone: "1" })),
      gzipSync(makeTar(folder, { b: "2", ".wh.gone": "" })),
    ];
    const layout = makeLayout(folder, layers, { architecture: "amd64", os: "linux" });
    const insecure = ["--insecure-policy", "copy", "--dest-tls-verify=false"];
    run("skopeo", [...insecure, `oci:${layout}`, `docker://${address}/shop/web:1`]);
    const expected = ["/a 1", "/b 2", "/gone 1 removed"];
    assert.deepEqual(await texts(layout), expected);
    assert.deepEqual(await texts(`${address}/shop/web:1`), expected);
    run("skopeo", ["--insecure-policy", "copy", `oci:${layout}`, `docker-archive:${folder}/web.tar:shop/web:1`]);
    assert.deepEqual(await texts(join(folder, "web.tar")), expected);
  },
);
