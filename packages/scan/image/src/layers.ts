import { resolveImage, unpacked, verified, type ContentStore, type Platform } from "./content.ts";
import type { FileTree, Layer, LayeredContent, TreeFile } from "./image.ts";
import { readTar, type TarEntry } from "./tar.ts";

/** The image that a digest in a content store names, of this machine's platform unless another is wanted. Takes the store over. */
export async function openFromStore(
  store: ContentStore,
  { name, digest, platform }: { name: string; digest: string; platform?: Platform | undefined },
): Promise<FileTree> {
  const { manifest, config } = await resolveImage(store, digest, platform);
  const layers = manifest.layers.map((layer) => ({
    digest: layer.digest,
    digestOf: "stored" as const,
    size: layer.size,
    read: async () => store.readBlob(layer.digest),
    place: store.placeOf?.(layer.digest) ?? null,
  }));
  return layeredTree({ name, digest, layers, config }, store);
}

/** The tar stream of a layer. Raises at its end when it is not what its digest says. */
export function tarOf(
  stored: AsyncIterable<Uint8Array>,
  layer: Pick<Layer, "digest" | "digestOf">,
): AsyncIterable<Uint8Array> {
  return layer.digestOf === "stored"
    ? unpacked(verified(stored, layer.digest))
    : verified(unpacked(stored), layer.digest);
}

/**
 * An image with its layers applied. Layers are streamed once each, the topmost first: the first that has a path decides
 * what is there, and a whiteout hides what is below. https://github.com/opencontainers/image-spec/blob/main/layer.md
 */
export function layeredTree(
  { name, digest, layers, config }: Pick<LayeredContent, "layers" | "config"> & Pick<FileTree, "name" | "digest">,
  store?: AsyncDisposable,
): FileTree {
  async function* files(wants: (path: string) => boolean): AsyncGenerator<TreeFile> {
    const decided = new Set<string>();
    const hidden = new HiddenPaths();
    for (const layer of layers.toReversed()) {
      const below = new HiddenPaths();
      const links: { path: string; target: string }[] = [];
      for await (const entry of readTar(tarOf(await layer.read(), layer))) {
        const path = cleanPath(entry.name);
        if (path === undefined) continue;
        const whiteout = whiteoutOf(path);
        if (whiteout) {
          below.add(whiteout);
          continue;
        }
        if (decided.has(path) || hidden.has(path)) continue;
        if (entry.type !== "directory") below.add({ path, contents: true, itself: false });
        if (!wants(path)) continue;
        decided.add(path);
        if (entry.type === "file") yield fileOf(entry, path, layer.digest);
        if (entry.type === "link") links.push({ path, target: cleanPath(entry.target) ?? "" });
      }
      if (links.length > 0) yield* linked(layer, links);
      hidden.merge(below);
    }
  }

  /** Hard links name a file of the same layer that was not wanted by its own name: the layer is read once more. */
  async function* linked(layer: Layer, links: { path: string; target: string }[]): AsyncGenerator<TreeFile> {
    for await (const entry of readTar(tarOf(await layer.read(), layer))) {
      const path = cleanPath(entry.name);
      const link = links.find(({ target }) => target === path);
      if (link && entry.type === "file") yield fileOf(entry, link.path, layer.digest);
    }
  }

  return {
    name,
    digest,
    source: "image",
    content: { kind: "layers", layers, config },
    files,
    [Symbol.asyncDispose]: async () => store?.[Symbol.asyncDispose](),
  };
}

function fileOf(entry: TarEntry, path: string, layer: string): TreeFile {
  return { path, size: entry.size, mode: entry.mode, layer, read: async (limit) => entry.read(limit) };
}

/** Absolute, without `.` and empty parts. Undefined where a part is `..` or a NUL: no honest layer has one. */
export function cleanPath(name: string): string | undefined {
  const plain = name.startsWith("./") ? name.slice(2) : name;
  if (isClean(plain)) return `/${plain}`;
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0 || parts.length > 256 || parts.some((part) => part === ".." || part.includes("\0")))
    return undefined;
  return `/${parts.join("/")}`;
}

/** As most are: nothing to take out, and nothing to refuse. */
function isClean(name: string): boolean {
  if (name === "" || name.length > 256 || name.includes("//") || name.includes("/.") || name.includes("\0"))
    return false;
  return !/^[./]|\/$/.test(name);
}

export interface Hide {
  path: string;
  /** What is in it. */
  contents: boolean;
  itself: boolean;
}

export function whiteoutOf(path: string): Hide | undefined {
  const slash = path.lastIndexOf("/");
  if (!path.startsWith(".wh.", slash + 1)) return undefined;
  const base = path.slice(slash + 1);
  if (base === ".wh..wh..opq") return { path: path.slice(0, slash), contents: true, itself: false };
  return { path: `${path.slice(0, slash)}/${base.slice(4)}`, contents: true, itself: true };
}

/** Paths of lower layers that an upper one has removed or replaced. */
class HiddenPaths {
  readonly #trees = new Set<string>();
  readonly #contents = new Set<string>();

  add({ path, contents, itself }: Hide): void {
    if (itself) this.#trees.add(path);
    else if (contents) this.#contents.add(path);
  }

  merge(other: HiddenPaths): void {
    for (const path of other.#trees) this.#trees.add(path);
    for (const path of other.#contents) this.#contents.add(path);
  }

  has(path: string): boolean {
    if (this.#trees.has(path)) return true;
    for (let at = path.lastIndexOf("/"); at >= 0; at = path.lastIndexOf("/", at - 1)) {
      const parent = path.slice(0, at);
      if (this.#trees.has(parent) || this.#contents.has(parent)) return true;
      if (at === 0) return false;
    }
    return false;
  }
}
