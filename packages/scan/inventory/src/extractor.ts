import type { InstalledPackage, OperatingSystem } from "@bulwark/model";

/** What an extractor found in one file. */
interface Found {
  packages: InstalledPackage[];
  /** Parts of the file that could not be read; the rest counts. */
  errors: string[];
}

export interface FileFacts {
  path: string;
  layer: string | null;
  os: OperatingSystem | null;
}

/** One kind of file that tells of packages. A new one is a file in `extractors/` and a line in its index. */
export interface Extractor {
  name: string;
  /** Is this file one of its kind? By path alone: content is only read where somebody wants it. */
  wants(path: string): boolean;
  /** Bytes above which a file is refused. */
  limit: number;
  /** Raises for a file that is not readable at all. */
  extract(content: Buffer, file: FileFacts): Found;
}
