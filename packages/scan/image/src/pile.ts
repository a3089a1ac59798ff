import type { AnyAnalyzer, Examined, TreeFacts } from "./analyzer.ts";
import { byPath, type FileFacts } from "./file-facts.ts";
import type { FileTree, LayeredContent } from "./image.ts";
import type { LayerCover, LayerFacts } from "./layer-facts.ts";
import { storyOf } from "./history.ts";

/** What was seen of a whole tree, before analyzers conclude. */
export interface SeenTree {
  tree: TreeFacts;
  /** In the order of their paths; of one path the lowest layer first. */
  files: SeenFile[];
}

type SeenFile = FileFacts & { removed: boolean };

/**
 * Puts the layers of an image on top of each other: what a higher layer replaced or removed is marked.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md
 */
export function pileUp(
  { name }: Pick<FileTree, "name">,
  { layers, config }: LayeredContent,
  facts: readonly LayerFacts[],
): SeenTree {
  const cover = new Cover();
  const osRelease = new Map<string, string>();
  const files: SeenFile[][] = [];
  for (const layer of facts.toReversed()) {
    files.push(layer.files.map((file) => ({ ...file, removed: file.replaced || cover.hides(file.entry.path) })));
    for (const [path, text] of layer.osRelease) if (!cover.hides(path)) osRelease.set(path, text);
    if (layer !== facts[0]) cover.add(layer.cover);
  }
  const stories = storyOf(config.history, layers.length);
  const tree: TreeFacts = {
    name,
    layers: layers.map(({ digest }, at) => ({ digest, step: null, origin: null, ...stories[at] })),
    config,
    osRelease,
    faults: layers.flatMap(({ digest }, at) =>
      (facts[at]?.faults ?? []).map((message) => ({ layer: digest, message })),
    ),
  };
  return { tree, files: files.toReversed().flat().sort(byPath) };
}

/** What one analyzer makes of it. */
export function concludeOf({ name, conclude }: AnyAnalyzer, { tree, files }: SeenTree): unknown {
  const examined: Examined<unknown> = { facts: [], faults: [], tree };
  for (const { entry, facts, faults, removed } of files) {
    if (facts[name] !== undefined) examined.facts.push({ entry, fact: facts[name], removed });
    if (faults[name] !== undefined) examined.faults.push({ entry, message: faults[name], removed });
  }
  return conclude(examined);
}

/** Paths of the layers above. */
class Cover {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #opaque = new Set<string>();

  add({ files, folders, opaque }: LayerCover): void {
    for (const path of files) this.#files.add(path);
    for (const path of folders) this.#folders.add(path);
    for (const path of opaque) this.#opaque.add(path);
  }

  /** Is a file of a lower layer gone? */
  hides(path: string): boolean {
    if (this.#files.has(path) || this.#folders.has(path)) return true;
    for (let at = path.lastIndexOf("/"); at >= 0; at = at === 0 ? -1 : path.lastIndexOf("/", at - 1)) {
      const parent = path.slice(0, at);
      if (this.#files.has(parent) || this.#opaque.has(parent)) return true;
    }
    return false;
  }
}
