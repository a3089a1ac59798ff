import { z } from "zod";
import { imageReport } from "./image.ts";

/** What comes first: what runs, then what else a node has, then what a registry has. */
export const scanOrigins = ["running", "node", "registry"] as const;
export const scanOrigin = z.enum(scanOrigins);
export type ScanOrigin = z.infer<typeof scanOrigin>;

export const scanStates = ["waiting", "running", "done", "failed"] as const;
export const scanState = z.enum(scanStates);
export type ScanState = z.infer<typeof scanState>;

/** The scan of one image at one place: a node, or a registry that the server reads. */
export const scan = z.strictObject({
  /** Name of the node; `registry:<id>`. */
  place: z.string().min(1).max(512),
  /** Of the image. */
  key: imageReport.shape.key,
  name: z.string().max(1024),
  origin: scanOrigin,
  /** `failed`: given up until it is asked for again; while it is tried again it waits. */
  state: scanState,
  attempts: z.number().int().min(0),
  /** Why the last attempt failed; empty where none did. */
  reason: z.string().max(1024),
  /** Layers that are done; files where the image has none. `total` is null where it is not known. */
  done: z.number().int().min(0),
  total: z.number().int().min(0).nullable(),
  /** Milliseconds since the epoch. */
  queuedAt: z.number().int(),
  /** Of the last attempt. */
  startedAt: z.number().int().nullable(),
  finishedAt: z.number().int().nullable(),
  /** When it is tried again. */
  nextAt: z.number().int().nullable(),
});
export type Scan = z.infer<typeof scan>;
