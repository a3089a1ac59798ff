import { z } from "zod";
import { nodeId } from "./agent.ts";
import { containerRef } from "./container.ts";
import { ancestor, attribution, process } from "./event.ts";
import { podMetadata } from "./kubernetes.ts";
import { severity } from "./severity.ts";

/** One thing that was seen, for a person: `peer` → `10.0.0.5:4444`. `key` is a stable word that the console translates. */
export const evidence = z.strictObject({ key: z.string().max(64), value: z.string().max(4096) });
export type Evidence = z.infer<typeof evidence>;

/** Who asked an API server for what. What is not known is empty. */
export const apiRequest = z.strictObject({
  /** Name of the cluster in Bulwark. */
  cluster: z.string().max(128),
  user: z.string().max(512),
  verb: z.string().max(64),
  /** `pods`, `secrets`; empty for a request that is about no object. */
  resource: z.string().max(256),
  /** `exec`, `attach`. */
  subresource: z.string().max(256),
  namespace: z.string().max(256),
  name: z.string().max(512),
  uid: z.string().max(128),
  labels: podMetadata.shape.labels,
  /** Who controls it, nearest first; the last one is the workload. */
  owners: podMetadata.shape.owners,
});
export type ApiRequest = z.infer<typeof apiRequest>;

/** A rule matched. */
export const alert = z.strictObject({
  /** The same alert has the same id, however often it is sent. */
  id: z.string().max(512),
  time: z.number().int(),
  node: nodeId,
  /** Id of the rule: `reverse-shell`, `drift`. */
  rule: z.string().max(128),
  title: z.string().max(256),
  description: z.string().max(2048),
  remedy: z.string().max(2048),
  severity,
  /** MITRE ATT&CK techniques: `T1059.004`. */
  techniques: z.array(z.string().max(16)).max(16),
  attribution,
  container: containerRef.nullable(),
  /** Null for what no process did: a request to an API server. */
  process: process.nullable(),
  /** Only of an alert about a request to an API server. */
  request: apiRequest.optional(),
  /** Nearest first. */
  ancestors: z.array(ancestor).max(32),
  evidence: z.array(evidence).max(64),
  /** Ids of the events that matched. */
  events: z.array(z.string().max(512)).max(64),
});
export type Alert = z.infer<typeof alert>;

export const alertStates = ["open", "acknowledged", "closed"] as const;
export const alertState = z.enum(alertStates);
export type AlertState = z.infer<typeof alertState>;

/** The same was seen again and not told again: so often, and when at last. */
export const alertRepeats = z.strictObject({ count: z.number().int().min(1), last: z.number().int() });
export type AlertRepeats = z.infer<typeof alertRepeats>;

/** Of which alert it was. */
export const repeatsOf = alertRepeats.extend({ alert: z.string().max(512) });
export type RepeatsOf = z.infer<typeof repeatsOf>;

/**
 * `id`, of a request to an API server: what its own alert would have been called. It is told in several stages, and may
 * come by webhook and by file; by its id it is counted once.
 */
export const toldRepeats = repeatsOf.extend({ id: z.string().max(512).optional() });
export type ToldRepeats = z.infer<typeof toldRepeats>;

/** An alert as the server keeps it. */
export const storedAlert = alert.extend({
  state: alertState,
  comment: z.string().max(4096),
  /** When the server had it on disk, milliseconds since the epoch. */
  receivedAt: z.number().int(),
  /** Absent where it happened once. */
  repeats: alertRepeats.optional(),
});
export type StoredAlert = z.infer<typeof storedAlert>;
