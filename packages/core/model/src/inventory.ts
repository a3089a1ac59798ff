import { z } from "zod";

/** What `os-release` says of a file tree. `version` is the release as advisories name it: `12`, `3.20`. */
export const operatingSystem = z.strictObject({
  /** `ID` of os-release: `debian`, `alpine`, `ubuntu`. */
  id: z.string().max(64),
  version: z.string().max(64),
  /** `PRETTY_NAME`, for people. */
  name: z.string().max(256),
});
export type OperatingSystem = z.infer<typeof operatingSystem>;

export const packageTypes = ["deb", "apk"] as const;

/** One installed package. */
export const installedPackage = z.strictObject({
  type: z.enum(packageTypes),
  name: z.string().max(256),
  version: z.string().max(256),
  architecture: z.string().max(64),
  /** The source package and its version: what Debian's advisories (and apk's `origin`) are keyed by. */
  source: z.strictObject({ name: z.string().max(256), version: z.string().max(256) }),
  /** Package URL, https://github.com/package-url/purl-spec */
  purl: z.string().max(1024),
  licences: z.array(z.string().max(256)).max(64),
  /** Path inside the image of the file that told of it. */
  location: z.string().max(4096),
  /** Digest of the layer that brought the package, where layers are known. */
  layer: z.string().max(128).nullable(),
});
export type InstalledPackage = z.infer<typeof installedPackage>;

/** What one extractor did: an empty list of packages from a broken file is never mistaken for "nothing found". */
export const extractorStatus = z.strictObject({
  extractor: z.string().max(64),
  state: z.enum(["done", "partial", "failed"]),
  errors: z.array(z.strictObject({ path: z.string().max(4096), message: z.string().max(1024) })).max(1000),
});
export type ExtractorStatus = z.infer<typeof extractorStatus>;

/** The packages of one image or file tree. Independent of any advisory, so that it can be matched again later. */
export const inventory = z.strictObject({
  os: operatingSystem.nullable(),
  packages: z.array(installedPackage).max(100_000),
  extractors: z.array(extractorStatus).max(100),
});
export type Inventory = z.infer<typeof inventory>;
