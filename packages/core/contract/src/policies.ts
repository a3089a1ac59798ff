import {
  admissionDecision,
  admissionOutcome,
  policyMode,
  policySetting,
  policyViolation,
  runningTally,
  runningVerdict,
  severity,
} from "@bulwark/model";
import { z } from "zod";
import { cursor, id, limit, milliseconds, page, text } from "./parts.ts";
import type { Route } from "./route.ts";

/** A look at all that runs in a cluster. */
const policyLook = z.object({
  cluster: z.string(),
  judgedAt: z.number().int(),
  durationMs: z.number().int(),
  objects: z.number().int(),
  /** What could not be looked at, one line each. */
  problems: z.array(z.string()),
});

/** A policy that can be in force, and how it is. */
const policyRow = z.object({
  name: z.string(),
  kind: z.string(),
  title: z.string(),
  severity,
  /** The folder of the library that it is in; empty for others. */
  category: z.string(),
  why: z.string(),
  remedy: z.string(),
  source: z.enum(["library", "file", "console", "cluster"]),
  /** Where its text stands: a file, a document of the console, a config map. */
  place: z.string(),
  /** It can change what it finds. */
  fixable: z.boolean(),
  /** Null: off. */
  setting: policySetting.nullable(),
  /** Decisions of the last 24 hours by outcome. */
  decisions: z.partialRecord(admissionOutcome, z.number().int()),
  /** What it says of all that runs; null where nothing was held against it yet. */
  running: runningTally.nullable(),
});
export type PolicyRow = z.infer<typeof policyRow>;

/** Verdicts on an image that was scanned, the worst first. */
const imageVerdicts = ["denied", "warned", "observed", "unknown", "allowed", "not-applicable"] as const;

/** What a policy in force says of an image that was scanned. */
const imageVerdict = z.object({
  policy: z.string(),
  title: z.string(),
  /** As it is in force now. */
  mode: policyMode,
  /**
   * `denied`, `warned`, `observed`: it does not hold, and this is what its mode makes of that. `unknown`: what it asks could
   * not be known, which is not a yes.
   */
  verdict: z.enum(imageVerdicts),
  /** Why, with what was looked for and found; none where it is allowed or not applicable. */
  messages: z.array(z.string()),
});
export type ImageVerdict = z.infer<typeof imageVerdict>;

/** Which policies there are, what they decide at admission, and what they say of what runs already. */
export const policyRoutes = {
  listPolicies: {
    method: "GET",
    path: "/api/v1/policies",
    tag: "admission",
    access: "read",
    summary: "Admission policies: the library, your own, those of clusters, and how each is in force",
    response: z.object({
      items: z.array(policyRow),
      /** Whether this server is asked by API servers at all. */
      webhook: z.object({ url: z.string(), clusters: z.array(z.string()) }).nullable(),
      problems: z.array(z.string()),
      /** The last look at what runs, by cluster. */
      looks: z.array(policyLook),
      /** Clusters that only a collector tells of: whole objects are not known here, so what runs is not judged. */
      unjudged: z.array(z.string()),
    }),
  },
  getPolicy: {
    method: "GET",
    path: "/api/v1/policies/{id}",
    tag: "admission",
    access: "read",
    summary: "One admission policy with its text",
    params: id,
    response: policyRow.extend({ text: z.string() }),
  },
  setPolicy: {
    method: "PUT",
    path: "/api/v1/policies/{id}",
    tag: "admission",
    access: "write",
    summary: "Put a policy in force, change how it is, or turn it off",
    params: id,
    body: policySetting.omit({ policy: true }).nullable(),
  },
  putPolicyDocument: {
    method: "PUT",
    path: "/api/v1/policy-documents/{id}",
    tag: "admission",
    access: "write",
    summary: "Add or replace policies of your own; a text with an error changes nothing",
    params: id,
    body: z.strictObject({ text: z.string().min(1).max(500_000) }),
    response: z.object({ policies: z.array(z.string()) }),
  },
  deletePolicyDocument: {
    method: "DELETE",
    path: "/api/v1/policy-documents/{id}",
    tag: "admission",
    access: "write",
    summary: "Remove policies of your own",
    params: id,
  },
  judgeImage: {
    method: "GET",
    path: "/api/v1/images/{id}/policies",
    tag: "admission",
    access: "read",
    summary: "What the image policies in force say of an image that was scanned; the id is its key",
    params: id,
    response: z.object({ items: z.array(imageVerdict) }),
  },
  listPolicyViolations: {
    method: "GET",
    path: "/api/v1/policy-violations",
    tag: "admission",
    access: "read",
    summary: "Workloads that run and that a policy, in force or not, would not simply let in",
    query: z.strictObject({
      policy: text,
      cluster: text,
      namespace: text,
      verdict: runningVerdict.optional(),
      q: text,
      cursor,
      limit,
    }),
    response: page(policyViolation),
  },
  previewPolicies: {
    method: "POST",
    path: "/api/v1/policy-preview",
    tag: "admission",
    access: "write",
    summary: "What policies of a text would say of all that runs, before they are saved; a few seconds a cluster",
    body: z.strictObject({ text: z.string().min(1).max(500_000) }),
    response: z.object({
      policies: z.array(
        runningTally.extend({
          policy: z.string(),
          /** The first of them. */
          violations: z.array(policyViolation.omit({ policy: true, since: true })),
        }),
      ),
      looks: z.array(policyLook),
    }),
  },
  listAdmissionDecisions: {
    method: "GET",
    path: "/api/v1/admission-decisions",
    tag: "admission",
    access: "read",
    summary: "What policies decided, latest first",
    query: z.object({
      policy: text,
      outcome: admissionOutcome.optional(),
      cluster: text,
      namespace: text,
      q: text,
      since: milliseconds,
      until: milliseconds,
      cursor,
      limit,
    }),
    response: page(admissionDecision),
  },
  rotateWebhookAuthority: {
    method: "POST",
    path: "/api/v1/admission-authority/rotate",
    tag: "admission",
    access: "write",
    summary: "Make a new certificate authority for the webhook before its time",
  },
} as const satisfies Record<string, Route>;
