import { z } from "zod";

/** What is done about what a policy finds: it is written down, the user is told, or the request is refused. */
export const policyModes = ["observe", "warn", "enforce"] as const;
export const policyMode = z.enum(policyModes);
export type PolicyMode = z.infer<typeof policyMode>;

/** What happens to a request that a policy should have been asked about, and was not in time. */
export const missModes = ["Ignore", "Fail"] as const;
export type MissMode = (typeof missModes)[number];

const namespaceName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "a namespace");

/** A policy that is in force, and how. */
export const policySetting = z.strictObject({
  policy: z.string().min(1).max(253),
  mode: policyMode,
  /** Until then it only observes. Milliseconds since the epoch; null: from the beginning. */
  from: z.number().int().min(0).nullable().default(null),
  failurePolicy: z.enum(missModes).default("Ignore"),
  /** It is not asked about what is in these. */
  excludedNamespaces: z.array(namespaceName).max(500).default([]),
  /** Its fix, where it has one, changes objects before they are judged. */
  fix: z.boolean().default(false),
});
export type PolicySetting = z.infer<typeof policySetting>;

/**
 * `observed`, `warned`, `denied`: it was found wrong, and this was done; `changed`: a mutation; `bypassed`: denied, but for
 * a person who may break the glass; `missed`: it could not be asked in time; `allowed`: nothing was wrong with any policy.
 */
export const admissionOutcomes = ["denied", "warned", "observed", "changed", "bypassed", "missed", "allowed"] as const;
export const admissionOutcome = z.enum(admissionOutcomes);
export type AdmissionOutcome = z.infer<typeof admissionOutcome>;

/** What one policy said of one request; of one that was allowed, all policies together. */
export const admissionDecision = z.strictObject({
  id: z.string().max(64),
  /** Milliseconds since the epoch. */
  time: z.number().int(),
  cluster: z.string().max(253),
  /** Empty where every policy let it through. */
  policy: z.string().max(253),
  outcome: admissionOutcome,
  /** In which the policy was then. */
  mode: policyMode,
  /** Index of its validation or mutation; -1 where there is none. */
  rule: z.number().int(),
  reason: z.string().max(2048),
  operation: z.string().max(16),
  kind: z.string().max(253),
  namespace: z.string().max(253),
  name: z.string().max(253),
  user: z.string().max(512),
  /** That the policy took; of one that was allowed, all of them. Milliseconds. */
  duration: z.number().min(0),
});
export type AdmissionDecision = z.infer<typeof admissionDecision>;

/**
 * What a policy says of a workload that runs, were it made anew: `denied`; `noted` where its binding wants no more than a
 * warning or a line in the audit log; `unknown` where it could not be told, which is neither.
 */
export const runningVerdict = z.enum(["denied", "noted", "unknown"]);
export type RunningVerdict = z.infer<typeof runningVerdict>;

/** A workload that runs and that a policy, in force or not, would not simply let in. */
export const policyViolation = z.strictObject({
  policy: z.string().max(253),
  cluster: z.string().max(253),
  /** Of the workload: what its pods and replica sets are controlled by, or the object itself. */
  kind: z.string().max(253),
  namespace: z.string().max(253),
  name: z.string().max(253),
  verdict: runningVerdict,
  message: z.string().max(2048),
  /** At how many objects of the workload it was found: itself, its pods, … */
  objects: z.number().int(),
  /** Of this verdict. Milliseconds since the epoch. */
  since: z.number().int(),
});
export type PolicyViolation = z.infer<typeof policyViolation>;

/** What a policy says of all that runs in a cluster. */
export const runningTally = z.strictObject({
  /** Objects that it was asked about. */
  judged: z.number().int(),
  /** Workloads by verdict. */
  denied: z.number().int(),
  noted: z.number().int(),
  unknown: z.number().int(),
  /** Objects of workloads that are not listed, for there are too many. */
  dropped: z.number().int(),
});
export type RunningTally = z.infer<typeof runningTally>;
