/** The images: the same from the same checkout, small, whole, not root's, and with nothing in them that is known to be weak. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { feedsDir, missing, run } from "@bulwark/testkit";
import { buildImage } from "./build.ts";
import { images, places, type Image } from "./images.ts";
import { keptImages } from "./kept.ts";

const bulwark = join(import.meta.dirname, "../../bin/bulwark");

describe("images of server and agent", { skip: missing("debian", "clang") }, () => {
  let folder = "";
  let built: ReturnType<typeof keptImages>;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bulwark-images-"));
    built = keptImages();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const layoutOf = (name: Image["name"]): Layout => openArchive(built[name].archive, join(folder, `${name}-layout`));

  test("the same checkout gives the same digest, whoever builds it and where", () => {
    const before = process.umask(0o077);
    try {
      assert.equal(buildImage("server", join(folder, "second")).digest, built.server.digest);
    } finally {
      process.umask(before);
    }
  });

  for (const { name, user, packages } of images) {
    test(`${name}: all that its code imports is in it, no test is, and it runs as user ${user}`, () => {
      const layout = layoutOf(name);
      const { config } = layout;
      const root = unpack(layout, join(folder, `${name}-root`));
      assert.equal(config.config.User, `${user}:${user}`);
      const application = join(root, places.application);
      const sources = globSync("{apps,packages}/**/*.ts", { cwd: application }).filter(
        (file) => !file.includes("node_modules"),
      );
      assert.ok(sources.length > 200, `${sources.length} files of ours`);
      assert.deepEqual(
        sources.filter((file) => /\.(test|fixture)\.ts$/.test(file)),
        [],
      );
      const content = readdirSync(join(import.meta.dirname, "../../content"));
      const missed = content.filter((kind) => !existsSync(join(application, "content", kind)));
      assert.deepEqual(missed, [], "what it looks for by is in it");
      const lacks = sources.flatMap((file) =>
        [...readFileSync(join(application, file), "utf8").matchAll(/^(?:import|export)[^;]*? from "(\.[^"]+)"/gm)]
          .map(([, path = ""]) => join(dirname(file), path))
          .filter((path) => !existsSync(join(application, path)))
          .map((path) => `${file} → ${path}`),
      );
      assert.deepEqual(lacks, []);
      const [, node] = config.rootfs.diff_ids;
      assert.ok(node);
      const compressed = layout.layers.reduce((sum, path) => sum + statSync(path).size, 0);
      console.log(`${name}: ${(compressed / 1e6).toFixed(1)} MB to pull`);
      assert.ok(compressed < 80e6, `${compressed} bytes to pull`);
    });

    test(
      `${name}: bulwark scan image finds no weakness above low, and sees every package`,
      { skip: missing("feeds") },
      () => {
        const data = join(folder, "data");
        mkdirSync(data, { recursive: true });
        if (!existsSync(join(data, "advisories.db")))
          run(bulwark, ["db", "update", "--from", feedsDir(), "--data", data]);
        const exceptions = join(import.meta.dirname, "exceptions.yaml");
        const options = ["--data", data, "--exceptions", exceptions, "--fail-on", "medium", "--packages"];
        const scan = ["scan", "image", built[name].archive, ...options];
        const { status, stdout, stderr } = spawnSync(bulwark, scan, { encoding: "utf8" });
        // 3: the advisories at hand are not of all its packages, which the report names.
        assert.ok(status === 0 || status === 3, `${status}: ${stdout}${stderr}`);
        for (const each of packages) assert.ok(stdout.includes(each), `${each} is not in\n${stdout}`);
        console.log(`${name}: ${/^No vulnerabilities.*$|^\d+ vulnerabilities.*$/m.exec(stdout)?.[0]}`);
      },
    );
  }

  test("server and agent share the layer of Node", () => {
    const [server, agent] = (["server", "agent"] as const).map((name) => layoutOf(name).config.rootfs.diff_ids[1]);
    assert.ok(server);
    assert.equal(server, agent);
  });
});

interface Config {
  config: { User: string };
  rootfs: { diff_ids: string[] };
}
interface Descriptor {
  digest: string;
  size: number;
}

interface Layout {
  config: Config;
  /** Files of the layers, compressed. */
  layers: string[];
}

function openArchive(archive: string, folder: string): Layout {
  mkdirSync(folder, { recursive: true });
  run("tar", ["-xf", archive, "-C", folder]);
  const blob = (digest: string): string => join(folder, "blobs", digest.replace(":", "/"));
  const json = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
  const index = json(join(folder, "index.json")) as { manifests: Descriptor[] };
  const manifest = json(blob(index.manifests[0]?.digest ?? "")) as { config: Descriptor; layers: Descriptor[] };
  return {
    config: json(blob(manifest.config.digest)) as Config,
    layers: manifest.layers.map(({ digest }) => blob(digest)),
  };
}

function unpack({ layers }: Layout, root: string): string {
  mkdirSync(root, { recursive: true });
  for (const layer of layers) run("tar", ["-xzf", layer, "-C", root]);
  return root;
}
