import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "./cache-folder.ts";
import type { ContentText } from "./folder.ts";

/**
 * What `make` makes of texts, which is plain data (JSON): as it was kept in the cache folder when the same texts were read
 * by the same code, else anew. `code` are the addresses of the modules that decide what is made. A cache spares work and
 * decides nothing: whatever fails is as if it were not there.
 */
export function kept<T>(
  kind: string,
  texts: readonly ContentText[],
  code: readonly string[],
  make: () => T,
  folder = cacheFolder("content"),
): T {
  const hash = createHash("sha256");
  for (const { name, text } of texts) hash.update(`${name}\0${text}\0`);
  for (const module of code) hash.update(readFileSync(fileURLToPath(module)));
  const file = join(folder, `${kind}-${hash.digest("hex")}.json`);
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    const made = make();
    keep(kind, file, JSON.stringify(made));
    return made;
  }
}

/** Of each kind there is one, the latest. */
function keep(kind: string, file: string, text: string): void {
  const folder = dirname(file);
  const beside = join(folder, `${kind}-${randomUUID()}.new`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(beside, text, { mode: 0o600 });
    const older = readdirSync(folder).filter((name) => name.startsWith(`${kind}-`) && name.endsWith(".json"));
    renameSync(beside, file);
    for (const name of older) if (join(folder, name) !== file) rmSync(join(folder, name), { force: true });
  } catch {
    rmSync(beside, { force: true });
  }
}
