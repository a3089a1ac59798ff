import { availableParallelism } from "node:os";
import type { FileTree, Folder, Layer, LayeredContent, TreeFacts } from "@bulwark/image";
import {
  concludeOf,
  gather,
  pileUp,
  walkFolder,
  type BatchFacts,
  type FolderBatch,
  type LayerFacts,
  type Results,
  type SeenTree,
} from "@bulwark/image/reading";
import type { LayerCache, Versioned, Versions } from "./cache.ts";
import { loadAnalyzers, type Loaded, type Loaders, type Registry } from "./registry.ts";
import { Threads } from "./threads.ts";

export interface ExamineOptions {
  /** What is known of layers already; without it every layer is read. */
  cache?: LayerCache | undefined;
  /** As many as there are cores. */
  threads?: number | undefined;
  /** Milliseconds for one layer, or for a load of files: what takes longer is given up and told. A quarter of an hour. */
  timeLimit?: number | undefined;
  /** Called often. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Progress {
  /** Layers that are done; files of a folder. */
  done: number;
  /** Null where that is not known before the end. */
  total: number | null;
  /** Bytes of layers that were read, as they are stored. */
  bytes: number;
}

/**
 * Asks analyzers of a registry about a tree, all in one pass, layers and files in threads. Never raises for what is in
 * the tree: `tree.faults` says what could not be looked at.
 */
export async function examineWith<Analyzers extends Loaders, Name extends keyof Analyzers & string>(
  { module, analyzers, version }: Registry<Analyzers>,
  tree: FileTree,
  names: readonly Name[],
  options: ExamineOptions = {},
): Promise<{ tree: TreeFacts; results: Pick<Results<Loaded<Analyzers>>, Name> }> {
  const { cache } = options;
  const versionOf: typeof version = (name) => (cache ? version(name) : "");
  const wanted = names.map((name): Versioned => ({ name, version: versionOf(name) }));
  // What concludes is loaded while the threads work.
  const [seen, loaded] = await Promise.all([
    see(tree, module, { wanted, reading: versionOf(null) }, options),
    loadAnalyzers(analyzers, names),
  ]);
  const results = loaded.map((analyzer) => [analyzer.name, concludeOf(analyzer, seen)]);
  return { tree: seen.tree, results: Object.fromEntries(results) as Pick<Results<Loaded<Analyzers>>, Name> };
}

/** Conclusions need memory of their own: the threads end before. */
async function see(tree: FileTree, module: string, versions: Versions, options: ExamineOptions): Promise<SeenTree> {
  const { threads = availableParallelism(), timeLimit = 900_000 } = options;
  await using pool = new Threads({ module }, Math.max(1, threads), timeLimit);
  const { content } = tree;
  return content.kind === "layers"
    ? await seeLayers(tree, content, versions, pool, options)
    : await seeFolder(tree, content, versions.wanted, pool, options);
}

async function seeLayers(
  tree: FileTree,
  content: LayeredContent,
  versions: Versions,
  pool: Threads,
  { cache, onProgress }: ExamineOptions,
): Promise<SeenTree> {
  // The same layer may be there more than once.
  const layers = new Map(content.layers.map((layer) => [layer.digest, layer]));
  const progress = { done: 0, total: layers.size, bytes: 0 };
  const passed = (bytes: number): void => {
    progress.bytes += bytes;
    onProgress?.(progress);
  };
  const facts = new Map<string, LayerFacts>();
  const look = async (layer: Layer): Promise<void> => {
    facts.set(layer.digest, await factsOf(layer, versions, pool, cache, passed));
    progress.done++;
    onProgress?.(progress);
  };
  await Promise.all(largestFirst([...layers.values()]).map(look));
  cache?.trimWritten();
  return pileUp(
    tree,
    content,
    content.layers.flatMap(({ digest }) => facts.get(digest) ?? []),
  );
}

async function factsOf(
  layer: Layer,
  versions: Versions,
  pool: Threads,
  cache: LayerCache | undefined,
  passed: (bytes: number) => void,
): Promise<LayerFacts> {
  const { facts: kept, missing } = cache?.get(layer, versions) ?? { facts: undefined, missing: versions.wanted };
  if (kept && missing.length === 0) return kept;
  const names = missing.map(({ name }) => name);
  const facts = await pool.layer(layer, names, passed);
  cache?.put(layer, { ...versions, wanted: missing }, facts);
  return kept ? { ...facts, files: [...kept.files, ...facts.files] } : facts;
}

/** So that the one that takes longest does not begin last. */
function largestFirst(layers: Layer[]): Layer[] {
  return layers.toSorted((a, b) => (b.size ?? b.place?.length ?? 0) - (a.size ?? a.place?.length ?? 0));
}

/** Files that one thread is given at once. */
const loadSize = 500;

async function seeFolder(
  tree: FileTree,
  folder: Folder,
  analyzers: readonly Versioned[],
  pool: Threads,
  { threads = availableParallelism(), onProgress }: ExamineOptions,
): Promise<SeenTree> {
  const names = analyzers.map(({ name }) => name);
  const faults: TreeFacts["faults"] = [];
  const found: BatchFacts[] = [];
  const running = new Set<Promise<void>>();
  let done = 0;
  for (const load of inLoads(walkFolder(folder, faults))) {
    const work = (async () => {
      const facts = await pool.batches(folder, load, names);
      if (typeof facts === "string") {
        faults.push({ layer: null, message: `files below ${load[0]?.folder || "/"}: ${facts}` });
      } else found.push(...facts);
      done += load.reduce((sum, batch) => sum + batch.names.length, 0);
      onProgress?.({ done, total: null, bytes: 0 });
    })();
    running.add(work);
    void work.finally(() => running.delete(work));
    if (running.size > threads * 2) await Promise.race(running);
  }
  await Promise.all(running);
  return gather(tree, found, faults);
}

function* inLoads(batches: Iterable<FolderBatch>): Generator<FolderBatch[]> {
  let load: FolderBatch[] = [];
  let size = 0;
  for (const batch of batches) {
    load.push(batch);
    size += batch.names.length;
    if (size < loadSize) continue;
    yield load;
    load = [];
    size = 0;
  }
  if (load.length > 0) yield load;
}
