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

/**
 * A file tree to scan: an image with its layers applied, or a root file system. The same extractor runs over both.
 * `wants` is asked before any content is read, so that what nobody wants is passed over.
 */
export interface FileTree extends AsyncDisposable {
  readonly name: string;
  readonly digest: string | null;
  readonly source: "image" | "rootfs";
  /** Each wanted file once, as the topmost layer has it; never a file that a later layer removed. */
  files(wants: (path: string) => boolean): AsyncIterable<TreeFile>;
}
