import { z } from "zod";

/**
 * ValidatingAdmissionPolicy, MutatingAdmissionPolicy and their bindings, as Kubernetes 1.36 has them. Fields that are not
 * known are refused: a typing error in a policy is a hole in it.
 * https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/
 */

const name = z.string().min(1).max(253);
const expression = z.string().min(1).max(16_384);
const strings = z.array(z.string().max(512)).max(1000);

const labelSelector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string(),
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
        values: strings.optional(),
      }),
    )
    .max(100)
    .optional(),
});

export const operations = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;
export type Operation = (typeof operations)[number];

const resourceRule = z.strictObject({
  apiGroups: strings,
  apiVersions: strings,
  operations: z.array(z.enum([...operations, "*"])).max(5),
  resources: strings,
  resourceNames: strings.optional(),
  scope: z.enum(["Cluster", "Namespaced", "*"]).optional(),
});
export type ResourceRule = z.infer<typeof resourceRule>;

const matchResources = z.strictObject({
  namespaceSelector: labelSelector.optional(),
  objectSelector: labelSelector.optional(),
  resourceRules: z.array(resourceRule).max(100).optional(),
  excludeResourceRules: z.array(resourceRule).max(100).optional(),
  matchPolicy: z.enum(["Exact", "Equivalent"]).optional(),
});
export type MatchResources = z.infer<typeof matchResources>;

const metadata = z.looseObject({
  name,
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

const shared = {
  failurePolicy: z.enum(["Fail", "Ignore"]).default("Fail"),
  paramKind: z.strictObject({ apiVersion: z.string(), kind: z.string() }).optional(),
  matchConstraints: matchResources,
  matchConditions: z.array(z.strictObject({ name, expression })).max(64).default([]),
  variables: z
    .array(z.strictObject({ name: z.string().regex(/^[A-Za-z_]\w*$/), expression }))
    .max(128)
    .default([]),
};

const reasons = ["Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"] as const;
export type Reason = (typeof reasons)[number];

export const validatingPolicy = z.looseObject({
  apiVersion: z.string().startsWith("admissionregistration.k8s.io/"),
  kind: z.literal("ValidatingAdmissionPolicy"),
  metadata,
  spec: z.strictObject({
    ...shared,
    validations: z
      .array(
        z.strictObject({
          expression,
          message: z.string().max(5120).optional(),
          messageExpression: expression.optional(),
          reason: z.enum(reasons).default("Invalid"),
        }),
      )
      .max(128)
      .default([]),
    auditAnnotations: z
      .array(z.strictObject({ key: name, valueExpression: expression }))
      .max(20)
      .default([]),
  }),
});
export type ValidatingPolicy = z.infer<typeof validatingPolicy>;

export const mutatingPolicy = z.looseObject({
  apiVersion: z.string().startsWith("admissionregistration.k8s.io/"),
  kind: z.literal("MutatingAdmissionPolicy"),
  metadata,
  spec: z.strictObject({
    ...shared,
    reinvocationPolicy: z.enum(["Never", "IfNeeded"]).default("Never"),
    mutations: z
      .array(
        z.discriminatedUnion("patchType", [
          z.strictObject({ patchType: z.literal("JSONPatch"), jsonPatch: z.strictObject({ expression }) }),
          z.strictObject({
            patchType: z.literal("ApplyConfiguration"),
            applyConfiguration: z.strictObject({ expression }),
          }),
        ]),
      )
      .max(128),
  }),
});
export type MutatingPolicy = z.infer<typeof mutatingPolicy>;
export type Policy = ValidatingPolicy | MutatingPolicy;

const validationActions = ["Deny", "Warn", "Audit"] as const;
export type ValidationAction = (typeof validationActions)[number];

export const binding = z.looseObject({
  apiVersion: z.string().startsWith("admissionregistration.k8s.io/"),
  kind: z.enum(["ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicyBinding"]),
  metadata,
  spec: z.strictObject({
    policyName: name,
    paramRef: z
      .strictObject({
        name: name.optional(),
        namespace: name.optional(),
        selector: labelSelector.optional(),
        parameterNotFoundAction: z.enum(["Allow", "Deny"]).optional(),
      })
      .optional(),
    matchResources: matchResources.optional(),
    validationActions: z.array(z.enum(validationActions)).max(3).default([]),
  }),
});
export type Binding = z.infer<typeof binding>;
