import type { ImageConfig } from "./analyzer.ts";
import type { Folder } from "./folder.ts";

/** One regular file of a file tree, as a scan sees it. */
export interface TreeFile {
  /** Absolute inside the tree, no `..`, no symbolic link left in it: `/var/lib/dpkg/status`. */
  path: string;
  size: number;
  mode: number;
  /** Digest of the layer that brought it; null where there are no layers. */
  layer: string | null;
  /** Whole content. Raises `ImageError` `too-large` above `limit` bytes. */
  read(limit: number): Promise<Buffer>;
}

/** A file tree to scan: an image with its layers, or a root file system. The same analyzers run over both. */
export interface FileTree extends AsyncDisposable {
  readonly name: string;
  readonly digest: string | null;
  readonly source: "image" | "rootfs";
  readonly content: LayeredContent | Folder;
  /** The commit that is checked out, of a git repository. */
  readonly commit?: string;
  /** Each wanted file once, as the topmost layer has it; never a file that a later layer removed. */
  files(wants: (path: string) => boolean): AsyncIterable<TreeFile>;
}

export interface LayeredContent {
  kind: "layers";
  /** Lowest first. */
  layers: Layer[];
  config: ImageConfig;
}

/** One layer of an image, as it is stored. */
export interface Layer {
  /** SHA-256 of its bytes: as they are stored, or, where an archive tells only that, unpacked. */
  digest: string;
  digestOf: "stored" | "unpacked";
  /** Bytes as they are stored, where that is known. */
  size: number | null;
  /** The bytes as they are stored, anew each time. */
  read(): Promise<AsyncIterable<Uint8Array>>;
  /** Where the same bytes lie in a file of this machine; null where they come from elsewhere. */
  place: FilePlace | null;
}

/** A part of a file. */
export interface FilePlace {
  path: string;
  start: number;
  length: number;
}
