import { z } from "zod";
import { packageTypes } from "./package-types.ts";

/** What `os-release` says of a file tree. `version` is the release as advisories name it: `12`, `3.20`. */
export const operatingSystem = z.strictObject({
  /** `ID` of os-release: `debian`, `alpine`, `ubuntu`. */
  id: z.string().max(64),
  version: z.string().max(64),
  /** `PRETTY_NAME`, for people. */
  name: z.string().max(256),
});
export type OperatingSystem = z.infer<typeof operatingSystem>;

export const packageType = z.enum(packageTypes);

/** One package that is installed, or that a lock file says will be. */
export const installedPackage = z.strictObject({
  type: packageType,
  /** As its ecosystem writes it whole: `@babel/core`, `org.slf4j:slf4j-api`, `golang.org/x/net`. */
  name: z.string().max(512),
  /** With the epoch where there is one: `1:2.3-4.el9`. */
  version: z.string().max(256),
  architecture: z.string().max(64),
  /**
   * The source package and its version: what advisories of distributions are keyed by (Debian's source, apk's origin,
   * the source rpm). Elsewhere the package itself.
   */
  source: z.strictObject({ name: z.string().max(512), version: z.string().max(256) }),
  /** `name:stream` of the module that an rpm belongs to. */
  module: z.string().max(256).nullable(),
  /** Who built it, as an rpm says; null elsewhere. */
  vendor: z.string().max(256).nullable(),
  /** Package URL, https://github.com/package-url/purl-spec */
  purl: z.string().max(1024),
  licences: z.array(z.string().max(256)).max(64),
  /** Path inside the image of the file that told of it. */
  location: z.string().max(4096),
  /** Digest of the layer that brought the package, where layers are known. */
  layer: z.string().max(128).nullable(),
  /** What the build step that made the layer ran, as the image's history tells. */
  step: z.string().max(4096).nullable(),
  /** Whether it came with the base image, was added to it, or came into a running container; null where that cannot be told. */
  origin: z.enum(["base", "application", "container"]).nullable(),
  /** A dependency that only building and testing need. */
  development: z.boolean(),
  /** Package URL of the distribution's package that owns the file which told of it: who answers for it is that one. */
  ownedBy: z.string().max(1024).nullable(),
});
export type InstalledPackage = z.infer<typeof installedPackage>;

/** What most packages do not have. */
export const plainPackage = {
  module: null,
  vendor: null,
  step: null,
  origin: null,
  development: false,
  ownedBy: null,
} as const satisfies Partial<InstalledPackage>;

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
