import { z } from "zod";
import type { Container } from "./container.ts";
import { extractorStatus, inventory } from "./inventory.ts";
import { malware } from "./malware.ts";
import { checkResult } from "./misconfiguration.ts";
import { secret } from "./secret.ts";
import { severity } from "./severity.ts";
import { findingKind } from "./weakness.ts";

/**
 * An image that was seen on a node. Keyed by name *and* digest: one digest under two names is two assets.
 * A container without an image in a runtime's store (bare runc) is keyed by its root file system.
 */
export const imageReport = z.strictObject({
  /** `<name>@<digest>`; for a bare root file system `rootfs:<node>:<path>`. */
  key: z.string().min(1).max(1400),
  name: z.string().max(1024),
  digest: z.string().max(128).nullable(),
  /** What was read: the image's own layers, or the container's root file system where the layers are gone. */
  source: z.enum(["image", "rootfs"]),
  scannedAt: z.number().int(),
  durationMs: z.number().int(),
  inventory,
  /** A list that is null was not looked for. */
  secrets: z.array(secret).max(100_000).nullable().default(null),
  malware: z.array(malware).max(100_000).nullable().default(null),
  /** Of the image's configuration; only what does not hold, or could not be judged. */
  checks: z.array(checkResult).max(10_000).nullable().default(null),
  /** How the parts of the scan got on, besides the extractors of packages: an empty list is only clean where its part is done. */
  parts: z.array(extractorStatus).max(100).default([]),
});
export type ImageReport = z.infer<typeof imageReport>;

/** Of a report that tells of packages only. */
export const packagesOnly = {
  secrets: null,
  malware: null,
  checks: null,
  parts: [],
} satisfies Partial<ImageReport>;

/** A row of the list of images. */
export const imageSummary = z.strictObject({
  key: imageReport.shape.key,
  name: z.string(),
  digest: z.string().nullable(),
  os: z.string().nullable(),
  packages: z.number().int(),
  scannedAt: z.number().int(),
  /** `partial` when an extractor could not read everything. */
  state: z.enum(["done", "partial", "failed"]),
  runningContainers: z.number().int(),
  /** Open findings by severity. */
  findings: z.record(severity, z.number().int()),
  /** The same by kind. */
  kinds: z.record(findingKind, z.number().int()),
});
export type ImageSummary = z.infer<typeof imageSummary>;

/** The key of a container's image: what {@link ImageReport} is kept under. */
export function imageKeyOf(container: Pick<Container, "node" | "id" | "rootfs" | "image">): string {
  const { name, digest } = container.image;
  if (digest !== null) return `${name}@${digest}`;
  return `rootfs:${container.node}:${container.rootfs ?? container.id}`;
}
