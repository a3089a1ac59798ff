import type { PackageType } from "@bulwark/model";

/**
 * One kind of file that tells of packages. A new one is a file in `extractors/`, a line in its index and its cases beside
 * it. An extractor sees one file at a time and knows nothing of the tree: what holds of the whole (distribution, layers,
 * owners) is put together afterwards.
 */
export interface Extractor {
  /** Kebab-case, as it stands in reports. */
  name: string;
  /**
   * `installed`: what the file tells of is there. `locked`: it is what an installation would bring; where that has happened
   * beside the file or in the image, what is installed counts.
   */
  kind: "installed" | "locked";
  files: FilePattern;
  /** Bytes above which a file is refused. */
  limit: number;
  /** Pure. Undefined when the file is not of this kind after all; raises when it is not readable as what it is. */
  extract(content: Buffer, path: string): Found | undefined;
}

/**
 * Which files are of the kind: any of the names, endings and folders, and `path` beside. Data and not a function, because
 * every file of every layer is asked about.
 */
interface FilePattern {
  /** Whole names: `Cargo.lock`. */
  names?: readonly string[];
  /** From the last dot on: `.jar`. */
  endings?: readonly string[];
  /** Folders that the file is in, absolute. */
  folders?: readonly string[];
  /** Programs: executable, and without an ending that says otherwise. */
  programs?: true;
  /** What holds of the whole path too. */
  path?: RegExp;
}

/** What an extractor found in one file: plain data, kept in the cache of layers. */
export interface Found {
  packages: FoundPackage[];
  /** Parts of the file that could not be read; the rest counts. */
  errors: string[];
  /** Files that packages own, as absolute paths. The packages may be told of by another file. */
  owned?: Owned[];
  /** Licences of packages that another file tells of. */
  licences?: { type: PackageType; name: string; licences: string[] }[];
  /** Names of files in the same folder that say nothing beside this one. */
  supersedes?: string[];
}

export interface Owned {
  type: PackageType;
  name: string;
  paths: string[];
}

export interface FoundPackage {
  type: PackageType;
  /** As its ecosystem writes it whole: `@babel/core`, `org.slf4j:slf4j-api`. */
  name: string;
  version: string;
  architecture?: string;
  /** Name and version of the source package, where they are others than the package's own. */
  source?: { name: string; version: string } | undefined;
  /** The source as the package URL tells it, where that is more than its name: a source rpm. */
  upstream?: string | undefined;
  module?: string | undefined;
  vendor?: string | undefined;
  /** As they are written; made SPDX expressions afterwards. */
  licences?: string[] | undefined;
  development?: boolean | undefined;
  /** Place inside the file, where that is an archive: `WEB-INF/lib/a.jar`. */
  inside?: string | undefined;
}

export const megabyte = 1024 * 1024;
