/** What is known of a file before its content is read. */
export interface TreeEntry {
  /** Absolute inside the tree, no `..`, no symbolic link left in it: `/var/lib/dpkg/status`. */
  path: string;
  size: number;
  /** Permission bits with setuid, setgid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Digest of the layer that brought it; null where there are no layers. */
  layer: string | null;
}

/**
 * One question that a scan asks of the files of a tree: which packages, which secrets. All analyzers see the tree in the
 * same single pass, each layer in a thread of its own; what `examine` says of a layer's file is kept in the cache by the
 * layer's digest and the version of the analyzer's code, and `conclude` puts together what holds of the whole tree.
 */
export interface Analyzer<Fact, Result> {
  name: string;
  wants(entry: TreeEntry): boolean;
  /** Bytes above which a wanted file is not read: it is a fault of the file then, told in `faults`. */
  limit: number;
  /**
   * What one file says, by itself: pure, and plain data (JSON). Undefined when there is nothing to say. Raises when the
   * file is not readable as what it is. `content` is shared: neither change nor keep it. Of a hard link whose target was
   * examined, the fact is taken over.
   */
  examine(entry: TreeEntry, content: Buffer): Fact | undefined;
  conclude(examined: Examined<Fact>): Result;
}

/** What the pass over a tree gave one analyzer. */
export interface Examined<Fact> {
  /** In the order of their paths. `removed`: in a layer, and a later one deleted or replaced it. */
  facts: { entry: TreeEntry; fact: Fact; removed: boolean }[];
  /** Files that were wanted and could not be read, or not as what they are. */
  faults: { entry: TreeEntry; message: string; removed: boolean }[];
  tree: TreeFacts;
}

/** What is known of the tree as a whole. */
export interface TreeFacts {
  name: string;
  /** Lowest first; empty where there are no layers. */
  layers: { digest: string; step: string | null; origin: "base" | "application" | null }[];
  /** The image's own configuration; null for a bare tree. */
  config: ImageConfig | null;
  /** Texts of the files that say which distribution it is, by path. */
  osRelease: Map<string, string>;
  /** What could not be looked at beyond single files: a layer that is cut off, a folder that may not be read. */
  faults: TreeFault[];
}

export interface TreeFault {
  /** Digest of the layer; null where it is of the whole tree. */
  layer: string | null;
  message: string;
}

/** Any analyzer, whatever its facts and its result. */
// eslint-disable-next-line typescript/no-explicit-any -- facts go back to the analyzer that gave them, and to nobody else
export type AnyAnalyzer = Analyzer<any, unknown>;

/** https://github.com/opencontainers/image-spec/blob/main/config.md, what analyzers look at. */
export interface ImageConfig {
  architecture: string;
  os: string;
  created: string | null;
  user: string;
  environment: string[];
  entrypoint: string[];
  command: string[];
  labels: Record<string, string>;
  exposedPorts: string[];
  volumes: string[];
  healthcheck: boolean;
  history: { createdBy: string; emptyLayer: boolean; created: string | null }[];
}
