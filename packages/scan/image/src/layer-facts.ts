import { errorText } from "@bulwark/model/plain";
import type { AnyAnalyzer, TreeEntry } from "./analyzer.ts";
import { ImageError } from "./error.ts";
import { byPath, examineFile, interestIn, type FileFacts } from "./file-facts.ts";
import type { Layer } from "./image.ts";
import { cleanPath, tarOf, whiteoutOf } from "./layers.ts";
import { readTar, type TarEntry } from "./tar.ts";

/** What one layer says by itself: plain data, to be kept and put together with what the other layers say. */
export interface LayerFacts {
  /** By path; of one path the one that stays is the last. */
  files: FileFacts[];
  osRelease: [path: string, text: string][];
  /** What could not be looked at beyond single files, one line each. Facts are there as far as they go. */
  faults: string[];
  /** The layer was read to its end, and is what its digest says. */
  whole: boolean;
  cover: LayerCover;
}

/** Paths of a layer, which hide those of the layers below. */
export interface LayerCover {
  /** Not folders, and whiteouts: nothing below is left at the path, nor under it. */
  files: string[];
  /** Nothing but a folder is left at the path. */
  folders: string[];
  /** Opaque: nothing below is left under the path. */
  opaque: string[];
}

/** Whoever examines files in place of the one who reads the layer. */
export interface LayerHelp {
  /** Takes a file over, and says in `file` what analyzers say of it; false where there is no room for it. Copies `content`. */
  take(wanting: readonly AnyAnalyzer[], file: FileFacts, content: Buffer): boolean;
  /** When all that was taken over has been said. Rejects where that cannot be. */
  done(): Promise<void>;
}

const entriesLimit = 1_000_000;
/** Characters of all paths together: more than half a million files of an honest image have. */
const pathsLimit = 128 * 1024 * 1024;
const linksFollowed = 40;

/**
 * Examines the files of a layer in one pass over its stream. Never raises for what is in the layer: where that cannot be
 * read any further, a fault says so.
 */
export async function examineLayer(
  layer: Pick<Layer, "digest" | "digestOf" | "read">,
  analyzers: readonly AnyAnalyzer[],
  help?: LayerHelp,
): Promise<LayerFacts> {
  const pass = new LayerPass(layer.digest, analyzers, help);
  let whole = false;
  try {
    try {
      await pass.read(tarOf(await layer.read(), layer));
    } finally {
      await help?.done();
    }
    if (pass.followLinks()) await pass.readTargets(tarOf(await layer.read(), layer));
    whole = true;
  } catch (error) {
    pass.fault(`it could not be read to its end: ${errorText(error)}`);
  }
  return { ...pass.facts(), whole };
}

class LayerPass {
  readonly #digest: string;
  readonly #analyzers: readonly AnyAnalyzer[];
  readonly #files: FileFacts[] = [];
  /** The one of a path that stays, where somebody says something of it. */
  readonly #latest = new Map<string, FileFacts>();
  readonly #osRelease = new Map<string, string>();
  readonly #links = new Map<string, { entry: TreeEntry; target: string }>();
  /** Links that somebody wants, by the file they lead to, which was not examined under its own path. */
  readonly #unread = new Map<string, TreeEntry[]>();
  readonly #cover: LayerCover = { files: [], folders: [], opaque: [] };
  /** Sizes of `#cover.files`; -1 where it is no regular file. */
  readonly #sizes: number[] = [];
  readonly #faults: string[] = [];
  #escapes = 0;
  #pathCharacters = 0;
  readonly #help: LayerHelp | undefined;

  constructor(digest: string, analyzers: readonly AnyAnalyzer[], help: LayerHelp | undefined) {
    this.#digest = digest;
    this.#analyzers = analyzers;
    this.#help = help;
  }

  async read(stream: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const entry of readTar(stream)) {
      const path = cleanPath(entry.name);
      if (path === undefined) {
        if (!/^[./]*$/.test(entry.name) || entry.name.includes("..")) this.#escape(entry.name);
        continue;
      }
      this.#count(path);
      const whiteout = whiteoutOf(path);
      if (whiteout?.itself === true) this.#covered(whiteout.path, -1);
      else if (whiteout) this.#cover.opaque.push(whiteout.path);
      else if (entry.type === "directory") this.#cover.folders.push(path);
      else {
        this.#covered(path, entry.type === "file" ? entry.size : -1);
        await this.#see(entry, path);
      }
    }
  }

  /**
   * Gives hard links the facts of the files they lead to. True where somebody wants such a file only by the link's path:
   * the layer is to be read once more.
   */
  followLinks(): boolean {
    if (this.#links.size === 0) return false;
    const sizes = new Map(this.#cover.files.map((path, at) => [path, this.#sizes[at] ?? -1]));
    for (const { entry } of this.#links.values()) {
      const target = this.#targetOf(entry.path);
      const size = sizes.get(target) ?? -1;
      const link = { ...entry, size: Math.max(0, size) };
      const interest = interestIn(this.#analyzers, link);
      if (!interest) continue;
      if (size < 0)
        this.#keep(examineFile(interest.wanting, link, `a hard link to ${target}, which its layer has not`));
      else if (interest.wanting.every((analyzer) => analyzer.wants({ ...link, path: target }))) {
        this.#takeOver(this.#latest.get(target), link, interest.wanting);
      } else this.#unread.set(target, [...(this.#unread.get(target) ?? []), link]);
    }
    return this.#unread.size > 0;
  }

  async readTargets(stream: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const entry of readTar(stream)) {
      const path = cleanPath(entry.name) ?? "";
      const links = entry.type === "file" ? this.#unread.get(path) : undefined;
      if (!links) continue;
      this.#unread.delete(path);
      const wanting = links.map((link) => ({ link, interest: interestIn(this.#analyzers, link) }));
      const read = wanting.some(({ interest }) => interest?.read === true);
      const content = read ? await entry.read(entry.size) : "";
      for (const { link, interest } of wanting) this.#keep(examineFile(interest?.wanting ?? [], link, content));
    }
  }

  fault(message: string): void {
    this.#faults.push(message);
  }

  facts(): Omit<LayerFacts, "whole"> {
    if (this.#escapes > 1) this.fault(`${this.#escapes - 1} more entries lead out of the tree`);
    return {
      files: this.#files.filter(saysSomething).toSorted(byPath),
      osRelease: [...this.#osRelease],
      faults: this.#faults,
      cover: this.#cover,
    };
  }

  async #see(entry: TarEntry, path: string): Promise<void> {
    const before = this.#latest.get(path);
    if (before) before.replaced = true;
    this.#latest.delete(path);
    this.#links.delete(path);
    this.#osRelease.delete(path);
    const { size, mode, uid, gid } = entry;
    const seen: TreeEntry = { path, size, mode, uid, gid, layer: this.#digest };
    if (entry.type === "link") this.#links.set(path, { entry: seen, target: cleanPath(entry.target) ?? "" });
    const interest = entry.type === "file" ? interestIn(this.#analyzers, seen) : undefined;
    if (!interest) return;
    const content = interest.read ? await entry.read(size) : "";
    if (interest.osRelease) this.#osRelease.set(path, content.toString());
    this.#examine(interest.wanting, seen, content);
  }

  #examine(wanting: readonly AnyAnalyzer[], entry: TreeEntry, content: Buffer | string): void {
    const file: FileFacts = { entry, facts: {}, faults: {}, replaced: false };
    if (typeof content !== "string" && this.#help?.take(wanting, file, content) === true) this.#keep(file);
    else this.#keep(examineFile(wanting, entry, content));
  }

  #keep(file: FileFacts | undefined): void {
    if (!file) return;
    this.#files.push(file);
    this.#latest.set(file.entry.path, file);
  }

  #takeOver(known: FileFacts | undefined, entry: TreeEntry, wanting: readonly AnyAnalyzer[]): void {
    if (!known) return;
    const names = new Set(wanting.map(({ name }) => name));
    const mine = <T>(values: Record<string, T>): Record<string, T> =>
      Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name)));
    this.#keep({ entry, facts: mine(known.facts), faults: mine(known.faults), replaced: false });
  }

  /** The path that a hard link leads to, by way of other links. */
  #targetOf(path: string): string {
    let at = path;
    for (let steps = 0; steps < linksFollowed; steps++) {
      const link = this.#links.get(at);
      if (!link) break;
      at = link.target;
    }
    return at;
  }

  #covered(path: string, size: number): void {
    this.#cover.files.push(path);
    this.#sizes.push(size);
  }

  #escape(name: string): void {
    if (this.#escapes++ === 0)
      this.fault(`an entry leads out of the tree, and is passed over: ${JSON.stringify(name.slice(0, 200))}`);
  }

  #count(path: string): void {
    this.#pathCharacters += path.length;
    const { files, folders, opaque } = this.#cover;
    if (files.length + folders.length + opaque.length >= entriesLimit)
      throw new ImageError("too-large", `it has more than ${entriesLimit} entries`);
    if (this.#pathCharacters > pathsLimit)
      throw new ImageError("too-large", "the paths of its entries are more than 128 MB");
  }
}

/** Of a file that somebody else examined, that is known only afterwards. */
function saysSomething({ facts, faults }: FileFacts): boolean {
  return Object.keys(facts).length > 0 || Object.keys(faults).length > 0;
}
