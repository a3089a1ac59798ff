import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { run } from "./process.ts";

/** A tar archive of these files, made in `folder` by tar itself. */
export function makeTar(
  folder: string,
  files: Record<string, string | Buffer>,
  extra: (root: string) => void = () => undefined,
): Buffer {
  const root = mkdtempSync(join(folder, "layer-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  extra(root);
  run("tar", ["-C", root, "-cf", `${root}.tar`, "."]);
  return readFileSync(`${root}.tar`);
}

/** An OCI layout in `folder` with these layers, lowest first, as they are; returns its path. */
export function makeLayout(folder: string, layers: Buffer[], config: object = {}): string {
  const path = mkdtempSync(join(folder, "layout-"));
  mkdirSync(join(path, "blobs/sha256"), { recursive: true });
  const put = (data: Buffer | object): { digest: string; size: number } => {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(JSON.stringify(data));
    const hash = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(path, "blobs/sha256", hash), bytes);
    return { digest: `sha256:${hash}`, size: bytes.length };
  };
  const type = (name: string): { mediaType: string } => ({ mediaType: `application/vnd.oci.image.${name}` });
  const unpacked = layers.map((layer) => createHash("sha256").update(unpack(layer)).digest("hex"));
  const diffIds = unpacked.map((hash) => `sha256:${hash}`);
  const manifest = {
    ...type("manifest.v1+json"),
    ...put({
      schemaVersion: 2,
      ...type("manifest.v1+json"),
      config: { ...type("config.v1+json"), ...put({ rootfs: { type: "layers", diff_ids: diffIds }, ...config }) },
      layers: layers.map((layer) => ({ ...type(`layer.v1.tar${packing(layer)}`), ...put(layer) })),
    }),
  };
  writeFileSync(join(path, "index.json"), JSON.stringify({ manifests: [manifest] }));
  writeFileSync(join(path, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return path;
}

function packing(layer: Buffer): "" | "+gzip" | "+zstd" {
  const magic = layer.toString("hex", 0, 4);
  return magic.startsWith("1f8b") ? "+gzip" : magic === "28b52ffd" ? "+zstd" : "";
}

/** A layer that is broken on purpose stays as it is. */
function unpack(layer: Buffer): Buffer {
  try {
    const how = packing(layer);
    return how === "+gzip" ? gunzipSync(layer) : how === "+zstd" ? zstdDecompressSync(layer) : layer;
  } catch {
    return layer;
  }
}
