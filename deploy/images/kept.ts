import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage, cache, checkout, epochOf, type Built } from "./build.ts";
import { images, type Image } from "./images.ts";

/** How many builds are kept. */
const most = 4;

/** All images, for tests: those that were built before from the very same files are taken again. */
export function keptImages(): Record<Image["name"], Built> {
  const folder = join(cache, "kept", fingerprint());
  const index = join(folder, "index.json");
  if (!existsSync(index)) {
    const making = `${folder}.${process.pid}`;
    const built = images.map(({ name }) => buildImage(name, making));
    const moved = built.map((image) => [image.name, { ...image, archive: image.archive.replace(making, folder) }]);
    writeFileSync(join(making, "index.json"), JSON.stringify(Object.fromEntries(moved)));
    // Another process may have been faster; both made the same.
    rmSync(folder, { recursive: true, force: true });
    renameSync(making, folder);
    removeOld(join(cache, "kept"));
  }
  return JSON.parse(readFileSync(index, "utf8")) as Record<Image["name"], Built>;
}

/** Of every file that may come into an image, and of what Debian offers, as a build tool sees that they have changed. */
function fingerprint(): string {
  const hash = createHash("sha256").update(`${epochOf()} ${process.versions.zlib}`);
  const add = (path: string): void => {
    const { mode, mtimeMs, size } = lstatSync(path);
    hash.update(`${path} ${mode} ${mtimeMs} ${size}\n`);
  };
  for (const top of ["apps", "content", "deploy/images", "node_modules", "packages"]) {
    const found = readdirSync(join(checkout, top), { recursive: true, withFileTypes: true });
    for (const file of found) if (!file.isDirectory()) add(join(file.parentPath, file.name));
  }
  for (const path of [join(checkout, "package.json"), "/var/lib/apt/lists"]) add(path);
  return hash.digest("hex").slice(0, 16);
}

function removeOld(folder: string): void {
  const made = readdirSync(folder).map((name) => ({ name, at: lstatSync(join(folder, name)).mtimeMs }));
  for (const { name } of made.toSorted((a, b) => b.at - a.at).slice(most)) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}
