import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import { cacheFolder } from "./cache-folder.ts";
import type { ContentText } from "./folder.ts";

/**
 * What `make` makes of texts, which is plain data: as it was kept in the cache folder when the same texts were read by the
 * same code, else anew. `code` are the addresses of the modules that decide what is made. A cache spares work and
 * decides nothing: whatever fails is as if it were not there.
 */
export function kept<T>(
  kind: string,
  texts: readonly ContentText[],
  code: readonly string[],
  make: () => T,
  folder = cacheFolder("content"),
): T {
  // Another V8 may write it differently.
  const hash = createHash("sha256").update(`${process.version}\0`);
  for (const { name, text } of texts) hash.update(`${name}\0${text}\0`);
  for (const module of code) hash.update(readFileSync(fileURLToPath(module)));
  const file = join(folder, `${kind}-${hash.digest("hex")}.v8`);
  try {
    return deserialize(whole(readFileSync(file))) as T;
  } catch {
    const made = make();
    keep(kind, file, serialize(made));
    return made;
  }
}

/** What is behind the digest that it begins with. Raises an `Error` where a part was lost: what is kept decides nothing. */
function whole(file: Uint8Array): Uint8Array {
  const bytes = file.subarray(digestLength);
  if (digestOf(bytes).equals(file.subarray(0, digestLength))) return bytes;
  throw new Error("not as it was written");
}

const digestLength = 32;
const digestOf = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/** Of each kind the latest: an agent and a command may each read others, in turns. */
const keptOfKind = 4;

function keep(kind: string, file: string, bytes: Uint8Array): void {
  const folder = dirname(file);
  const beside = join(folder, `${kind}-${randomUUID()}.new`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(beside, Buffer.concat([digestOf(bytes), bytes]), { mode: 0o600 });
    renameSync(beside, file);
    const all = readdirSync(folder).filter((name) => name.startsWith(`${kind}-`) && !name.endsWith(".new"));
    const times = new Map(all.map((name) => [name, statSync(join(folder, name)).mtimeMs]));
    const latestFirst = all.toSorted((a, b) => (times.get(b) ?? 0) - (times.get(a) ?? 0));
    for (const name of latestFirst.slice(keptOfKind)) rmSync(join(folder, name), { force: true });
  } catch {
    rmSync(beside, { force: true });
  }
}
