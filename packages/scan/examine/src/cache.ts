import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { cacheFolder } from "@bulwark/content/cache-folder";
import type { FileFacts, Layer, LayerFacts } from "@bulwark/image";

const defaultLimit = 2e9;
/** A file that is used counts as new once an hour: so often is its time written. */
const touchAfter = 3_600_000;
/** What a file may unpack to: more is a broken one. */
const unpackedLimit = 1e9;

/**
 * What layers said, by layer and by analyzer with its version. Many processes may use one folder at once, without a lock:
 * a file has its content's name, is written beside and renamed, and is never changed. Whatever fails is as if it were not
 * there: a cache spares work and decides nothing.
 */
export class LayerCache {
  readonly folder: string;
  readonly #limit: number;
  #written = 0;
  readonly counters = { hits: 0, misses: 0 };

  /** `limit` in bytes. */
  constructor(folder: string = cacheFolder("layers"), limit = defaultLimit) {
    this.folder = folder;
    this.#limit = limit;
  }

  /** What is known of a layer, and the analyzers that have yet to see it. Undefined facts: nothing is. */
  get(layer: LayerName, { wanted, reading }: Versions): Kept {
    const base = this.#read(keyOf(layer, "", reading)) as KeptLayer | undefined;
    if (!base) {
      this.counters.misses++;
      return { facts: undefined, missing: [...wanted] };
    }
    const files: FileFacts[] = [];
    const missing: Versioned[] = [];
    for (const analyzer of wanted) {
      const kept = this.#read(keyOf(layer, analyzer.name, analyzer.version)) as KeptFile[] | undefined;
      if (kept) files.push(...kept.map((file) => factsOf(analyzer.name, file, layer.digest)));
      else missing.push(analyzer);
    }
    if (missing.length === 0) this.counters.hits++;
    else this.counters.misses++;
    return { facts: { ...base, files, whole: true }, missing };
  }

  /** Keeps what these analyzers say of a layer that was read whole. */
  put(layer: LayerName, { wanted, reading }: Versions, facts: LayerFacts): void {
    if (!facts.whole) return;
    const { osRelease, faults, cover } = facts;
    this.#write(keyOf(layer, "", reading), { osRelease, faults, cover } satisfies KeptLayer);
    for (const { name, version } of wanted) {
      const kept = facts.files
        .filter((file) => name in file.facts || name in file.faults)
        .map(({ entry: { layer: _, ...entry }, facts: said, faults: failed, replaced }): KeptFile =>
          name in said ? { entry, replaced, fact: said[name] } : { entry, replaced, fault: failed[name] ?? "" },
        );
      this.#write(keyOf(layer, name, version), kept);
    }
  }

  /** What was concluded from all that `key` names: versions, an image's layers and configuration, packages. */
  conclusion(key: unknown): unknown {
    return this.#read(fileOf("image", key));
  }

  keepConclusion(key: unknown, conclusion: unknown): void {
    this.#write(fileOf("image", key), conclusion);
    this.trimWritten();
  }

  /** As `trim`, where anything was written since the last time. */
  trimWritten(): void {
    if (this.#written > 0) this.trim();
    this.#written = 0;
  }

  /** Removes what was used longest ago until the limit is kept. */
  trim(): void {
    const files = this.#list();
    let size = files.reduce((sum, file) => sum + file.size, 0);
    for (const file of files.toSorted((a, b) => a.usedAt - b.usedAt)) {
      if (size <= this.#limit) return;
      rmSync(file.path, { force: true });
      size -= file.size;
    }
  }

  status(): { folder: string; files: number; bytes: number; limit: number; oldest: number | null } {
    const files = this.#list();
    return {
      folder: this.folder,
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      limit: this.#limit,
      oldest: files.length === 0 ? null : Math.min(...files.map(({ usedAt }) => usedAt)),
    };
  }

  clear(): void {
    for (const { path } of this.#list()) rmSync(path, { force: true });
  }

  #list(): { path: string; size: number; usedAt: number }[] {
    let names: string[];
    try {
      names = readdirSync(this.folder).filter((name) => kinds.some((kind) => name.startsWith(`${kind}-`)));
    } catch {
      return [];
    }
    return names.flatMap((name) => {
      const path = join(this.folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      return found ? [{ path, size: found.size, usedAt: found.mtimeMs }] : [];
    });
  }

  #read(key: string): unknown {
    const path = join(this.folder, key);
    try {
      const data = zstdDecompressSync(readFileSync(path), { maxOutputLength: unpackedLimit });
      const now = Date.now();
      if (now - statSync(path).mtimeMs > touchAfter) utimesSync(path, now / 1000, now / 1000);
      return JSON.parse(data.toString("utf8"));
    } catch {
      return undefined;
    }
  }

  #write(key: string, value: unknown): void {
    const path = join(this.folder, key);
    const beside = join(this.folder, `layer-${randomUUID()}.new`);
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      const params = { [constants.ZSTD_c_compressionLevel]: 1 };
      writeFileSync(beside, zstdCompressSync(JSON.stringify(value), { params }), { mode: 0o600 });
      renameSync(beside, path);
      this.#written++;
    } catch {
      rmSync(beside, { force: true });
    }
  }
}

/** Analyzers by name, each with the version of what it answers, and that of how layers are read. */
export interface Versions {
  wanted: readonly Versioned[];
  reading: string;
}

export interface Versioned {
  name: string;
  version: string;
}

type LayerName = Pick<Layer, "digest" | "digestOf">;

const kinds = ["layer", "image"] as const;
type Kind = (typeof kinds)[number];

interface Kept {
  facts: LayerFacts | undefined;
  missing: Versioned[];
}

type KeptLayer = Pick<LayerFacts, "osRelease" | "faults" | "cover">;
type Entry = Omit<FileFacts["entry"], "layer">;
type KeptFile = { entry: Entry; replaced: boolean } & ({ fact: unknown } | { fault: string });

function factsOf(analyzer: string, kept: KeptFile, layer: string): FileFacts {
  const { replaced } = kept;
  const entry = { ...kept.entry, layer };
  return "fact" in kept
    ? { entry, facts: { [analyzer]: kept.fact }, faults: {}, replaced }
    : { entry, facts: {}, faults: { [analyzer]: kept.fault }, replaced };
}

function keyOf({ digest, digestOf }: LayerName, name: string, version: string): string {
  return fileOf("layer", [digestOf, digest, name, version]);
}

function fileOf(kind: Kind, key: unknown): string {
  return `${kind}-${createHash("sha256").update(JSON.stringify(key)).digest("hex")}.json.zst`;
}
