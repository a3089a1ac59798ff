import { z } from "zod";
import { installedPackage, operatingSystem } from "./inventory.ts";
import { checkResult } from "./misconfiguration.ts";

/** What benchmarks are asked of: a host by its node's name, or a cluster. */
export const benchmarkSubject = z.strictObject({
  kind: z.enum(["host", "cluster"]),
  name: z.string().min(1).max(256),
});
export type BenchmarkSubject = z.infer<typeof benchmarkSubject>;

/** Programs of runtimes and of Kubernetes that are on a host, under the names that advisories have for them. */
export const hostPrograms = z.strictObject({
  os: operatingSystem.nullable(),
  found: z
    .array(
      z.strictObject({
        /** `runc`, `kubelet`. */
        part: z.string().max(64),
        where: z.string().max(4608),
        version: z.string().max(256),
        packages: z.array(installedPackage).max(8),
        /** Why its version is not known; empty where it is. */
        reason: z.string().max(1024),
      }),
    )
    .max(200),
});
export type HostPrograms = z.infer<typeof hostPrograms>;

/** What the checks of every benchmark say of one host or cluster. */
export const benchmarkReport = z.strictObject({
  subject: benchmarkSubject,
  /** When its facts were looked at, milliseconds since the epoch. */
  collectedAt: z.number().int(),
  durationMs: z.number().int(),
  /** Every set that was asked; one that is not about the subject says why, and its checks were not asked. */
  sets: z
    .array(z.strictObject({ id: z.string().max(64), applies: z.boolean(), reason: z.string().max(2048) }))
    .max(100),
  results: z.array(checkResult).max(10_000),
  /** Of a host: an agent has no advisories, and the server holds these against its own. */
  programs: hostPrograms.optional(),
});
export type BenchmarkReport = z.infer<typeof benchmarkReport>;

/** Somebody has decided that a check need not hold, everywhere or of one host or cluster, until a day. */
export const benchmarkException = z.strictObject({
  id: z.string().max(64),
  check: z.string().min(1).max(128),
  /** Null: of all. */
  subject: benchmarkSubject.nullable(),
  reason: z.string().min(1).max(2048),
  /** Who said so. */
  owner: z.string().max(256),
  createdAt: z.number().int(),
  expiresAt: z.number().int(),
});
export type BenchmarkException = z.infer<typeof benchmarkException>;
