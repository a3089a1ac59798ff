import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  const descriptor = put({ rootfs: { type: "layers", diff_ids: [] }, ...config });
  const manifest = put({ schemaVersion: 2, config: descriptor, layers: layers.map(put) });
  writeFileSync(join(path, "index.json"), JSON.stringify({ manifests: [manifest] }));
  writeFileSync(join(path, "oci-layout"), "{}");
  return path;
}
