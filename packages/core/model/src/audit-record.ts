import { z } from "zod";

/** One record of a Kubernetes API server's audit log: who asked for what, and what was answered. */
export const auditRecord = z.strictObject({
  /** Name of the cluster in Bulwark. */
  cluster: z.string().max(128),
  stage: z.string().max(64),
  verb: z.string().max(64),
  user: z.string().max(512),
  groups: z.array(z.string().max(512)).max(64),
  /** Whom the user acted as; empty where nobody. */
  impersonated: z.string().max(512),
  sourceIps: z.array(z.string().max(64)).max(16),
  userAgent: z.string().max(1024),
  /** Null for a request that is not about an object, such as `/healthz`. */
  object: z
    .strictObject({
      group: z.string().max(256),
      resource: z.string().max(256),
      subresource: z.string().max(256),
      namespace: z.string().max(256),
      name: z.string().max(512),
    })
    .nullable(),
  /** With the query, in which `exec` has its command. */
  uri: z.string().max(4096),
  /** Of HTTP; 0 where none was given. */
  status: z.number().int().min(0).max(999),
  /** `allow` or `forbid`, as the authorizer decided; empty where it did not say. */
  decision: z.string().max(64),
  /** Why, or the message of a refusal. */
  reason: z.string().max(2048),
});
export type AuditRecord = z.infer<typeof auditRecord>;
