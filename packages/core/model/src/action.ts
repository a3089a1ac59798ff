import { z } from "zod";
import { ruleScope } from "./scope.ts";

/** What may last: undone by itself when this is over. A second to a day. */
const limitMs = z.number().int().min(1000).max(86_400_000);
/** `10.0.0.0/8`, `2001:db8::1`; with ports, only these. */
export const actionPeer = z.strictObject({
  peer: z.string().max(64),
  ports: z.tuple([z.number().int().min(0).max(65_535), z.number().int().min(0).max(65_535)]).optional(),
});
export type ActionPeer = z.infer<typeof actionPeer>;
const peers = z.array(actionPeer).max(16);
/** Whether it ends with the sensor (`open`), or lasts until its limit (`closed`). */
const onFailure = z.enum(["open", "closed"]).default("open");

/** One thing that can be done to a container, its process, its pod or its node. */
export const action = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("kill"),
    /** `startTime` as of `Process`: a number alone may be another's by then. */
    process: z.strictObject({ pid: z.number().int().positive(), startTime: z.string().regex(/^\d{1,20}$/) }),
  }),
  z.strictObject({ kind: z.literal("freeze"), limitMs }),
  z.strictObject({
    kind: z.literal("deny-exec"),
    limitMs,
    /** As they are called inside of the container; one that ends in a slash is everything below it. */
    paths: z
      .array(
        z
          .string()
          .regex(/^\/[^\0]*$/)
          .max(247),
      )
      .max(64),
    /** Programs that are not of the image. */
    origins: z.array(z.enum(["writable-layer", "memory", "mount"])).max(3),
    onFailure,
  }),
  z.strictObject({ kind: z.literal("deny-connect"), limitMs, peers: peers.min(1), except: peers, onFailure }),
  z.strictObject({ kind: z.literal("quarantine"), limitMs, except: peers, onFailure }),
  z.strictObject({ kind: z.literal("pause"), limitMs }),
  z.strictObject({ kind: z.literal("stop") }),
  z.strictObject({ kind: z.literal("delete-pod") }),
  z.strictObject({ kind: z.literal("cordon"), limitMs }),
]);
export type Action = z.infer<typeof action>;
export type ActionKind = Action["kind"];
export const actionKinds = [
  "kill",
  "freeze",
  "deny-exec",
  "deny-connect",
  "quarantine",
  "pause",
  "stop",
  "delete-pod",
  "cordon",
] as const satisfies ActionKind[];

export const actionState = z.enum([
  /** Ordered, and the agent has not said what became of it. */
  "ordered",
  /** Nothing was done: it would have been. */
  "dry-run",
  "done",
  /** By a person, by its time limit, or because the container ended. */
  "undone",
  /** Nobody allowed it for this container, or it would hit the node itself. */
  "refused",
  "failed",
  /** The agent did not fetch it in time. */
  "expired",
]);
export type ActionState = z.infer<typeof actionState>;

/** What became of an action. The one with the same id and a later time holds. */
export const actionRecord = z.strictObject({
  /** Of the order; `<node>/…` where the agent acted by itself. */
  id: z.string().min(1).max(256),
  node: z.string().max(256),
  /** When it became what it is, milliseconds since the epoch. */
  time: z.number().int(),
  action,
  /** Id of the container, and its name for a person. */
  container: z.string().max(256),
  containerName: z.string().max(1024),
  /** The alert that it answers; null where it answers none. */
  alert: z.string().max(256).nullable(),
  /** Who wanted it: a person, or `policy:<name>`. */
  by: z.string().max(256),
  reason: z.string().max(1024),
  state: actionState,
  /** What was done, or why it was not. */
  text: z.string().max(2048),
  /** What would mend it; empty when it is done. */
  remedy: z.string().max(2048),
  /** When it undoes itself; null: it cannot be undone, or it is over. */
  until: z.number().int().nullable(),
  /** What an action that lasts has prevented so far, by its first and its second line, and what it missed. */
  counts: z
    .strictObject({ prevented: z.number().int(), caught: z.number().int(), missed: z.number().int() })
    .nullable(),
});
export type ActionRecord = z.infer<typeof actionRecord>;

/** What the control plane tells the agent of one node to do, once. */
export const actionOrder = z.strictObject({
  id: z.string().min(1).max(64),
  node: z.string().max(256),
  /** After this it is not done any more. */
  expiresAt: z.number().int(),
  by: z.string().max(256),
  reason: z.string().max(1024),
  order: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("act"),
      container: z.string().max(256),
      alert: z.string().max(256).nullable(),
      action,
      dryRun: z.boolean(),
    }),
    /** `action`: the id of what is to be undone. */
    z.strictObject({ kind: z.literal("undo"), action: z.string().max(256) }),
  ]),
});
export type ActionOrder = z.infer<typeof actionOrder>;

/**
 * What a person allowed. Without a policy whose scope has the container nothing is done; of several, one that enforces
 * goes before one that observes.
 */
export const responsePolicy = z.strictObject({
  id: z.string().min(1).max(64),
  name: z.string().min(1).max(128),
  scope: ruleScope,
  mode: z.enum(["observe", "enforce"]),
  /** What persons may order. */
  actions: z.array(z.enum(actionKinds)).max(actionKinds.length),
  /** The system's own namespace is meant too. */
  system: z.boolean().default(false),
  /** What is done at once when one of these rules alerts; null: nothing by itself. */
  automatic: z
    .strictObject({
      /** Ids of rules and detectors. */
      rules: z.array(z.string().min(1).max(128)).min(1).max(200),
      /** `process` of a kill is that of the alert. */
      action: z.union([action, z.strictObject({ kind: z.literal("kill") })]),
      /** Of one node. What is beyond is counted and not done. */
      perHour: z.number().int().min(1).max(1000),
    })
    .nullable(),
});
export type ResponsePolicy = z.infer<typeof responsePolicy>;
