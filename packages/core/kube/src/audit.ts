import type { ApiRequest, AuditEvent, AuditRecord } from "@bulwark/model";
import { z } from "zod";

const text = z.string().catch("");
const texts = z.array(z.string()).catch([]);
/** What is kept of a record; everything else, request and answer bodies above all, is left behind. */
const told = z.object({
  auditID: z.string().min(1).max(128),
  stage: z.string().max(32),
  verb: z.string(),
  requestURI: text,
  user: z.object({ username: text, groups: texts }).catch({ username: "", groups: [] }),
  impersonatedUser: z.object({ username: text }).optional().catch(undefined),
  sourceIPs: texts,
  userAgent: text,
  objectRef: z
    .object({ apiGroup: text, resource: text, subresource: text, namespace: text, name: text })
    .optional()
    .catch(undefined),
  responseStatus: z
    .object({ code: z.number().int().min(0).max(999).catch(0), message: text })
    .optional()
    .catch(undefined),
  stageTimestamp: z.string(),
  annotations: z.record(z.string(), z.string()).catch({}),
});

/**
 * A record of an API server's audit log (audit.k8s.io/v1, as webhook and file have it) as an event, or undefined where
 * it is none. Bodies of requests and answers are not kept: they have Secrets in them.
 * Source: kubernetes.io/docs/reference/config-api/apiserver-audit.v1
 */
export function toAuditEvent(cluster: string, node: string, item: unknown): AuditEvent | undefined {
  const parsed = told.safeParse(item);
  if (!parsed.success) return undefined;
  const record = parsed.data;
  const time = Date.parse(record.stageTimestamp);
  if (!Number.isFinite(time)) return undefined;
  const { objectRef: ref, responseStatus: status, annotations } = record;
  return {
    id: `${cluster}/audit/${record.auditID}/${record.stage}`.slice(0, 256),
    time,
    node,
    kind: "audit",
    audit: {
      cluster,
      stage: record.stage,
      verb: record.verb.slice(0, 64),
      user: record.user.username.slice(0, 512),
      groups: record.user.groups.slice(0, 64).map((group) => group.slice(0, 512)),
      impersonated: (record.impersonatedUser?.username ?? "").slice(0, 512),
      sourceIps: record.sourceIPs.slice(0, 16).map((ip) => ip.slice(0, 64)),
      userAgent: record.userAgent.slice(0, 1024),
      object: ref
        ? {
            group: ref.apiGroup.slice(0, 256),
            resource: ref.resource.slice(0, 256),
            subresource: ref.subresource.slice(0, 256),
            namespace: ref.namespace.slice(0, 256),
            name: ref.name.slice(0, 512),
          }
        : null,
      uri: record.requestURI.slice(0, 4096),
      status: status?.code ?? 0,
      decision: (annotations["authorization.k8s.io/decision"] ?? "").slice(0, 64),
      reason: (annotations["authorization.k8s.io/reason"] ?? status?.message ?? "").slice(0, 2048),
    },
  };
}

const controller = z.object({ kind: text, apiVersion: text, name: text, uid: text, controller: z.literal(true) });
/** What an object says of itself in the body of a request or an answer. */
const named = z.object({
  metadata: z.object({
    name: text,
    uid: text,
    labels: z.record(z.string().max(512), z.string().max(4096)).catch({}),
    ownerReferences: z.array(controller.optional().catch(undefined)).max(64).catch([]),
  }),
});
type Named = z.infer<typeof named>["metadata"];
const bodies = z.object({ requestObject: z.unknown().optional(), responseObject: z.unknown().optional() });

/**
 * Who asked for what. Where the log has bodies (level Request or RequestResponse) of a request that writes a whole object,
 * its labels and its controller are from there.
 */
export function toApiRequest({ cluster, user, verb, object }: AuditRecord, item: unknown): ApiRequest {
  const { resource = "", subresource = "", namespace = "", name = "" } = object ?? {};
  const isWhole = subresource === "" && (verb === "create" || verb === "update");
  const told = isWhole ? bodyOf(item) : undefined;
  const owners = (told?.ownerReferences ?? []).filter((owner) => owner !== undefined).slice(0, 1);
  return {
    ...{ cluster, user, verb, resource, subresource, namespace },
    name: name === "" ? (told?.name ?? "").slice(0, 512) : name,
    uid: (told?.uid ?? "").slice(0, 128),
    labels: Object.fromEntries(Object.entries(told?.labels ?? {}).slice(0, 256)),
    owners: owners.map((owner) => ({
      kind: owner.kind.slice(0, 128),
      apiVersion: owner.apiVersion.slice(0, 256),
      name: owner.name.slice(0, 256),
      uid: owner.uid.slice(0, 128),
    })),
  };
}

/** The answer has the object as it is now; a refusal has none, and what was asked for has to do. */
function bodyOf(item: unknown): Named | undefined {
  const { responseObject, requestObject } = bodies.safeParse(item).data ?? {};
  const answer = named.safeParse(responseObject).data?.metadata;
  return answer !== undefined && answer.uid !== "" ? answer : named.safeParse(requestObject).data?.metadata;
}
