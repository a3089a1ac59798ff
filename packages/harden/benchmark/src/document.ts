import { checkDocument } from "@bulwark/check/document";
import { z } from "zod";

const text = z.string().min(1).max(1024);
const names = z.array(text).max(200).default([]);
const path = z
  .string()
  .regex(/^\/[^\0]*$/, "a path from the root")
  .max(1024);

/** One change of a host that is safe to make by a program: it can be shown before, and taken back. */
const fix = z.discriminatedUnion("kind", [
  /** A line in a drop-in of sysctl.d, and the parameter itself. */
  z.strictObject({
    kind: z.literal("sysctl"),
    parameters: z
      .array(z.string().regex(/^[a-z0-9_.]+$/))
      .min(1)
      .max(16),
    value: z.string().max(64),
  }),
  /** Bits that are too many are taken away, none is given; owner and group as named. */
  z.strictObject({
    kind: z.literal("mode"),
    path,
    mode: z
      .string()
      .regex(/^[0-7]{3,4}$/)
      .optional(),
    owner: z.literal("root").optional(),
    group: z.enum(["root", "shadow"]).optional(),
  }),
  /** modprobe.d: the module is not loaded any more. */
  z.strictObject({ kind: z.literal("module"), name: z.string().regex(/^[a-z0-9_-]+$/) }),
  /** A key in a file of settings; the file's form is known. */
  z.strictObject({
    kind: z.literal("setting"),
    path,
    key: z.string().regex(/^[A-Za-z][\w.-]*$/),
    value: z.union([z.string().max(512), z.number(), z.boolean()]),
  }),
]);
export type Fix = z.infer<typeof fix>;

/** A check of a benchmark: what every check says, and where it stands in which. */
export const benchmarkDocument = checkDocument.extend({
  /** What it is about; `content/checks/topics.yaml` says what that means in other standards. */
  topic: z.string().max(64),
  /** Its number in each set that it is part of. */
  in: z
    .record(z.string().max(64), z.string().max(32))
    .refine((sets) => Object.keys(sets).length > 0, "at least one set"),
  /** CIS: 1 is for everybody; 2 costs something. */
  level: z.union([z.literal(1), z.literal(2)]).default(1),
  /** Who answers for it, where a platform is run for its customers. */
  answers: z.enum(["platform", "customer"]).default("platform"),
  /** Clauses of other standards beyond those of its topic, by the standard. */
  maps: z.record(z.string().max(64), z.array(text).max(16)).default({}),
  needs: z
    .strictObject({ files: names, texts: names, settings: names, units: names })
    .default({ files: [], texts: [], settings: [], units: [] }),
  fix: z.array(fix).max(16).default([]),
});
export type BenchmarkDocument = z.infer<typeof benchmarkDocument>;

export const setDocument = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9.-]{1,62}$/),
  title: text,
  /** Of the benchmark that it follows. */
  version: z.string().max(64),
  /** What its checks are asked of. */
  of: z.enum(["host", "cluster"]),
  about: z.string().max(2048),
  /** Whether it is about a host or cluster at all; CEL, a bool. */
  applies: z.string().min(1).max(2048),
  /** One sentence for where it is not; what is in braces is CEL. */
  otherwise: text,
});
export type SetDocument = z.infer<typeof setDocument>;

export const topicDocument = z.strictObject({
  id: z.string().regex(/^[a-z][a-z-]{1,62}$/),
  title: text,
  /** Clauses by the standard: `nsa-cisa`, `attack`, `pci-dss`, `mlps`. */
  maps: z.partialRecord(z.enum(["nsa-cisa", "attack", "pci-dss", "mlps"]), z.array(text).max(16)),
});
export type TopicDocument = z.infer<typeof topicDocument>;
