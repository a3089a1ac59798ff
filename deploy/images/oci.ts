import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { run } from "./run.ts";

export interface ImageConfig {
  readonly reference: string;
  readonly user: number;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly ports: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970: of every file, and of the image itself. */
  readonly epoch: number;
}

/** A step of the image and the tar that it added. */
export interface Layer {
  readonly createdBy: string;
  readonly tar: string;
}

/** A tar of a folder that says nothing of when and by whom it was made: the same files give the same bytes. */
export function makeLayer(folder: string, tar: string, epoch: number): void {
  run("tar", [
    ...["--create", "--file", tar, "--directory", folder, "--sort=name", `--mtime=@${epoch}`],
    ...["--owner=0", "--group=0", "--numeric-owner", "--format=posix", "--no-xattrs", "--no-acls"],
    ...["--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime", "."],
  ]);
}

/**
 * Writes an OCI image layout (image-spec 1.1) and puts it into one archive. Returns the digest of the manifest. A layer
 * that was compressed before is taken from the folder `cache`.
 */
export function writeArchive(
  layers: readonly Layer[],
  config: ImageConfig,
  { folder, archive, cache }: { folder: string; archive: string; cache: string },
): string {
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const add = (content: Buffer, mediaType: string): Descriptor => {
    const hex = sha256(content);
    writeFileSync(join(folder, "blobs/sha256", hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const created = new Date(config.epoch * 1000).toISOString();
  const contents = layers.map(({ tar }) => readFileSync(tar));
  const diffs = contents.map(sha256);
  const descriptors = contents.map((content, index) =>
    add(compressed(content, diffs[index] ?? "", cache), "application/vnd.oci.image.layer.v1.tar+gzip"),
  );
  const configuration = add(
    json({
      ...{ created, architecture: architecture(), os: "linux" },
      config: {
        User: `${config.user}:${config.user}`,
        ExposedPorts: Object.fromEntries(config.ports.map((port) => [port, {}])),
        Env: Object.entries(config.env).map(([name, value]) => `${name}=${value}`),
        Entrypoint: config.entrypoint,
        Cmd: config.command,
        WorkingDir: "/",
        Labels: config.labels,
      },
      rootfs: { type: "layers", diff_ids: diffs.map((hex) => `sha256:${hex}`) },
      history: layers.map(({ createdBy }) => ({ created, created_by: createdBy })),
    }),
    "application/vnd.oci.image.config.v1+json",
  );
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = add(json({ schemaVersion: 2, mediaType, config: configuration, layers: descriptors }), mediaType);
  const annotations = {
    "io.containerd.image.name": config.reference,
    "org.opencontainers.image.ref.name": config.reference.split(":").at(-1) ?? "latest",
  };
  writeFileSync(join(folder, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json" };
  writeFileSync(join(folder, "index.json"), json({ ...index, manifests: [{ ...manifest, annotations }] }));
  makeLayer(folder, archive, config.epoch);
  return manifest.digest;
}

/** What zlib makes of it depends on its version, so that its name is in the file's. */
function compressed(content: Buffer, hex: string, cache: string): Buffer {
  const path = join(cache, `${hex}.zlib-${process.versions.zlib}.gz`);
  if (existsSync(path)) return readFileSync(path);
  const made = gzipSync(content, { level: 9 });
  mkdirSync(cache, { recursive: true });
  writeFileSync(`${path}.${process.pid}`, made);
  renameSync(`${path}.${process.pid}`, path);
  return made;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

function architecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

export function megabytes(path: string): number {
  return Math.round(statSync(path).size / 2 ** 20);
}
