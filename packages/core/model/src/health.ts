import { z } from "zod";
import { nodeId } from "./agent.ts";

/** `off` is a choice or a lack (no root, no BPF), `failed` is a fault. Both say why and what would turn it on. */
export const componentState = z.enum(["ok", "degraded", "off", "failed"]);
export type ComponentState = z.infer<typeof componentState>;

/** One part of Bulwark on one node, or of the server. */
export const component = z.strictObject({
  /** `sensor`, `runtime:containerd`, `advisories`, `database`, `spool`, … */
  id: z.string().max(128),
  /** The node, or `server`. */
  node: nodeId,
  state: componentState,
  /** One line: what holds now. */
  summary: z.string().max(1024),
  /** Why it is not ok; empty when it is. */
  reason: z.string().max(2048),
  /** What would mend it; empty when it is ok. */
  remedy: z.string().max(2048),
  /** Numbers worth seeing, among them every kind of loss: `lost.ring`, `lost.spool`, `events`. */
  counters: z.record(z.string().max(128), z.number()),
  /** Of the program, where that is what the part is about. */
  version: z.string().max(64).optional(),
  updatedAt: z.number().int(),
});
export type Component = z.infer<typeof component>;
