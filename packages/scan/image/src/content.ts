import { createHash } from "node:crypto";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { pipeline } from "node:stream";
import type { ImageConfig } from "./analyzer.ts";
import { parseConfig } from "./config.ts";
import type { FilePlace } from "./image.ts";
import { ImageError } from "./error.ts";
import { bytes, list, names, object, optional, read, sha256, text } from "./shape.ts";

/** Where the blobs of images are: an OCI layout, an archive, a runtime's content store, a registry. */
export interface ContentStore extends AsyncDisposable {
  /** The bytes of a blob. Raises `ImageError` `not-found`. */
  readBlob(digest: string): Promise<AsyncIterable<Uint8Array>>;
  /** Indexes and manifests, where they are kept apart from blobs. */
  readManifest?(digest: string): Promise<AsyncIterable<Uint8Array>>;
  /** Where a blob lies in a file of this machine, for stores that are files. */
  placeOf?(digest: string): FilePlace | null;
}

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface Descriptor {
  mediaType?: string | undefined;
  digest: string;
  size: number;
  platform?: Platform | undefined;
  artifactType?: string | undefined;
  annotations?: Record<string, string> | undefined;
}

interface Manifest {
  config: Descriptor;
  layers: Descriptor[];
}

function descriptorOf(value: unknown): Descriptor {
  const fields = object(value);
  return {
    mediaType: optional(text)(fields["mediaType"]),
    digest: sha256(fields["digest"]),
    size: bytes(fields["size"]),
    platform: optional(platformOf)(fields["platform"]),
    artifactType: optional(text)(fields["artifactType"]),
    annotations: optional(names(text))(fields["annotations"]),
  };
}

function platformOf(value: unknown): Platform {
  const { os, architecture, variant } = object(value);
  return { os: text(os), architecture: text(architecture), variant: optional(text)(variant) };
}

/** The manifests that an index lists; undefined where the document is none. */
export function parseIndex(value: unknown): Descriptor[] | undefined {
  return read(value, (document) => list(10_000, descriptorOf)(object(document)["manifests"]));
}

function parseManifest(value: unknown): Manifest | undefined {
  return read(value, (document) => {
    const { config, layers } = object(document);
    return { config: descriptorOf(config), layers: list(1000, descriptorOf)(layers) };
  });
}

const documentLimit = 4 * 1024 * 1024;
/** What a layer may grow to: a bomb ends here. */
const layerLimit = 100e9;

export interface Platform {
  os: string;
  architecture: string;
  /** `v7` of arm, `v8` of arm64; any where it is not said. */
  variant?: string | undefined;
}

/** `linux/arm64`, `linux/arm/v7`. Raises `ImageError` for anything else. */
export function parsePlatform(text: string): Platform {
  const match = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9.]+))?$/.exec(text);
  if (match) return { os: match[1] ?? "", architecture: match[2] ?? "", variant: match[3] };
  throw new ImageError("not-found", `${text} is no platform`, { remedy: "as in linux/amd64 or linux/arm/v7" });
}

/** The platform of this machine in OCI's words. */
function ownPlatform(): Platform {
  const architectures: Record<string, string> = { x64: "amd64", ia32: "386" };
  return { os: "linux", architecture: architectures[process.arch] ?? process.arch };
}

/** The manifest of the image that a digest leads to, and its configuration. */
export async function resolveImage(
  store: ContentStore,
  digest: string,
  platform: Platform | undefined,
): Promise<{ manifest: Manifest; config: ImageConfig }> {
  const found = await resolveManifest(store, digest, platform);
  const parsed = parseConfig(await readJson(await store.readBlob(found.config.digest), found.config.digest));
  if (!parsed) throw new ImageError("not-an-image", `${digest}: its configuration is not that of an image`);
  const { os, architecture } = parsed.config;
  if (platform && architecture !== "" && (architecture !== platform.architecture || os !== platform.os)) {
    throw new ImageError("not-found", `no image for ${platformText(platform)}; there is ${os}/${architecture}`);
  }
  return { manifest: found, config: parsed.config };
}

/** Follows indexes to the manifest for a platform. */
async function resolveManifest(store: ContentStore, digest: string, platform: Platform | undefined): Promise<Manifest> {
  let at = digest;
  for (let depth = 0; depth < 4; depth++) {
    const document = await readJson(store.readManifest ? await store.readManifest(at) : await store.readBlob(at), at);
    const manifests = parseIndex(document);
    if (!manifests) {
      const found = parseManifest(document);
      if (found) return found;
      throw new ImageError("not-an-image", `${at} is neither an image manifest nor an index`);
    }
    at = chooseManifest(manifests, platform).digest;
  }
  throw new ImageError("broken", `${digest}: indexes within indexes within indexes`);
}

/** Attestations hide among the manifests under the platform `unknown`. */
export function chooseManifest(manifests: Descriptor[], wanted: Platform | undefined): Descriptor {
  const images = manifests.filter((item) => item.platform?.os !== "unknown" && !item.artifactType);
  const [first] = images;
  // A single one is what somebody saved, whatever this machine is.
  if (images.length === 1 && first && !wanted) return first;
  const platform = wanted ?? ownPlatform();
  const fitting = images.find(
    (item) =>
      item.platform?.os === platform.os &&
      item.platform.architecture === platform.architecture &&
      (platform.variant === undefined || item.platform.variant === platform.variant),
  );
  if (fitting) return fitting;
  const offered = images.map(({ platform: item }) => (item ? platformText(item) : "one of no platform")).join(", ");
  throw new ImageError("not-found", `no image for ${platformText(platform)}; there is ${offered || "none"}`, {
    remedy: "say which with --platform",
  });
}

async function readJson(stream: AsyncIterable<Uint8Array>, digest: string): Promise<unknown> {
  const data = await readAll(verified(stream, digest), documentLimit);
  try {
    return JSON.parse(data.toString("utf8"));
  } catch (error) {
    throw new ImageError("broken", `${digest} is no JSON`, { cause: error });
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size > limit) throw new ImageError("too-large", `more than ${limit} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join("/");
}

/** `sha256:…` */
export function digestOf(data: Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** Passes the bytes on, and raises at their end when they are not what the digest says. */
export async function* verified(stream: AsyncIterable<Uint8Array>, digest: string): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const part of stream) {
    hash.update(part);
    yield part;
  }
  const found = `sha256:${hash.digest("hex")}`;
  if (found !== digest) throw new ImageError("broken", `the content of ${digest} has the digest ${found}`);
}

/** The tar stream of a layer, whatever it is packed with: told by its first bytes, because media types lie. */
export async function* unpacked(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const rest: AsyncIterable<Uint8Array> = {
    async *[Symbol.asyncIterator]() {
      yield first.value;
      yield* { [Symbol.asyncIterator]: () => iterator };
    },
  };
  const magic = Buffer.from(first.value.subarray(0, 4)).toString("hex");
  const options = { chunkSize: 256 * 1024 };
  const decoder = magic.startsWith("1f8b")
    ? createGunzip(options)
    : magic === "28b52ffd"
      ? createZstdDecompress(options)
      : undefined;
  if (!decoder) return yield* rest;
  let size = 0;
  let failure: unknown;
  pipeline(rest, decoder, (error) => (failure = error));
  try {
    for await (const part of decoder as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > layerLimit) throw new ImageError("too-large", "a layer unpacks to more than 100 GB");
      yield part;
    }
  } catch (error) {
    const cause = failure ?? error;
    if (cause instanceof ImageError) throw cause;
    throw new ImageError("broken", "a layer cannot be unpacked: it is damaged or cut off", { cause });
  } finally {
    decoder.destroy();
  }
}
