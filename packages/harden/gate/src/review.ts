import { diffPatch, type AdmissionRequest, type Json } from "@bulwark/admission";
import { isRecord, recordOf, stringOf } from "@bulwark/manifests";
import { GateError } from "./error.ts";

/** What a webhook answers. https://kubernetes.io/docs/reference/config-api/apiserver-admission.v1/ */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  readonly patchType?: "JSONPatch";
  readonly patch?: string;
}

const operations = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;

/** The request of an AdmissionReview (v1). Raises `GateError` with the field that is wrong. */
export function readReview(value: unknown): AdmissionRequest {
  const review = record(value, "the body");
  if (review["apiVersion"] !== "admission.k8s.io/v1" || review["kind"] !== "AdmissionReview") {
    throw wrong("apiVersion and kind", "admission.k8s.io/v1 and AdmissionReview");
  }
  const request = record(review["request"], "request");
  const operation = operations.find((one) => one === request["operation"]);
  if (!operation) throw wrong("request.operation", operations.join(", "));
  const kind = kindOf(request["kind"], "request.kind");
  const resource = resourceOf(request["resource"], "request.resource");
  const user = recordOf(request["userInfo"]);
  const groups = Array.isArray(user["groups"]) ? user["groups"].filter((one) => typeof one === "string") : [];
  return {
    uid: text(request["uid"], "request.uid"),
    kind,
    resource,
    subResource: stringOf(request["subResource"]),
    requestKind: request["requestKind"] == null ? kind : kindOf(request["requestKind"], "request.requestKind"),
    requestResource:
      request["requestResource"] == null ? resource : resourceOf(request["requestResource"], "request.requestResource"),
    requestSubResource: stringOf(request["requestSubResource"]),
    name: stringOf(request["name"]),
    namespace: stringOf(request["namespace"]),
    operation,
    userInfo: { username: stringOf(user["username"]), uid: stringOf(user["uid"]), groups },
    object: objectOf(request["object"], "request.object"),
    oldObject: objectOf(request["oldObject"], "request.oldObject"),
    dryRun: request["dryRun"] === true,
    options: objectOf(request["options"], "request.options"),
  };
}

export function writeReview(response: AdmissionResponse): string {
  return JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response });
}

/** What makes the object of a request the other one; nothing where they are the same. */
export function patchOf(before: Json | null, after: Json | null): Pick<AdmissionResponse, "patch" | "patchType"> {
  if (before === null || after === null || before === after) return {};
  const operationsOf = diffPatch(before, after);
  if (operationsOf.length === 0) return {};
  return { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(operationsOf)).toString("base64") };
}

function kindOf(value: unknown, field: string): AdmissionRequest["kind"] {
  const { group, version, kind } = record(value, field);
  return { group: stringOf(group), version: stringOf(version), kind: text(kind, `${field}.kind`) };
}

function resourceOf(value: unknown, field: string): AdmissionRequest["resource"] {
  const { group, version, resource } = record(value, field);
  return { group: stringOf(group), version: stringOf(version), resource: text(resource, `${field}.resource`) };
}

function objectOf(value: unknown, field: string): Json | null {
  return value == null ? null : record(value, field);
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw wrong(field, "an object");
}

function text(value: unknown, field: string): string {
  if (typeof value === "string" && value !== "" && value.length <= 512) return value;
  throw wrong(field, "a text of at most 512 characters");
}

function wrong(field: string, wanted: string): GateError {
  return new GateError("invalid", `${field}: must be ${wanted}`, { remedy: "let an API server send the review" });
}
