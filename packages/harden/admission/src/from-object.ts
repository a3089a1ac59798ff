import { recordOf, stringOf } from "@bulwark/manifests";
import type { Operation } from "./policy.ts";
import type { AdmissionRequest, Json } from "./request.ts";

/** Kinds in no namespace, of those that Kubernetes itself has. */
const clusterScoped = new Set([
  "Namespace",
  "Node",
  "PersistentVolume",
  "ClusterRole",
  "ClusterRoleBinding",
  "StorageClass",
  "PriorityClass",
  "IngressClass",
  "RuntimeClass",
  "CustomResourceDefinition",
  "APIService",
  "CSIDriver",
  "CSINode",
  "VolumeAttachment",
  "CertificateSigningRequest",
  "FlowSchema",
  "PriorityLevelConfiguration",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
]);

/** Plural names that are not made by the rule. */
const plurals: Readonly<Record<string, string>> = { Endpoints: "endpoints", Gateway: "gateways" };

/** The request that `kubectl apply` of an object would make, by somebody who may. For files and for what is stored. */
export function requestFor(
  object: Json,
  {
    operation = "CREATE",
    oldObject = null,
    namespace,
  }: { operation?: Operation; oldObject?: Json | null; namespace?: string } = {},
): AdmissionRequest {
  const kind = stringOf(object["kind"]);
  const [group, version] = splitVersion(stringOf(object["apiVersion"]));
  const metadata = recordOf(object["metadata"]);
  const own = stringOf(metadata["namespace"]);
  const name = stringOf(metadata["name"]) || stringOf(metadata["generateName"]);
  const where = own === "" ? (namespace ?? "default") : own;
  return {
    uid: "",
    kind: { group, version, kind },
    resource: { group, version, resource: pluralOf(kind) },
    subResource: "",
    name,
    // The API server names a Namespace as its own namespace.
    namespace: kind === "Namespace" ? name : clusterScoped.has(kind) ? "" : where,
    operation,
    userInfo: { username: "bulwark", groups: ["system:authenticated"] },
    object:
      operation === "DELETE" ? null : own === "" && !clusterScoped.has(kind) ? withNamespace(object, where) : object,
    oldObject,
    dryRun: false,
    options: null,
  };
}

function splitVersion(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

/** As the API server fills it in. */
function withNamespace(object: Json, namespace: string): Json {
  return { ...object, metadata: { ...recordOf(object["metadata"]), namespace } };
}

/** As k8s.io/apimachinery guesses it (meta.UnsafeGuessKindToResource). */
function pluralOf(kind: string): string {
  const known = Object.hasOwn(plurals, kind) ? plurals[kind] : undefined;
  if (known !== undefined) return known;
  const lower = kind.toLowerCase();
  if (lower.endsWith("s") || lower.endsWith("x") || lower.endsWith("ch")) return `${lower}es`;
  return lower.endsWith("y") ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}
