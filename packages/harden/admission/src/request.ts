import type { Operation } from "./policy.ts";

export type Json = Readonly<Record<string, unknown>>;

/** What an API server asks at admission. https://kubernetes.io/docs/reference/config-api/apiserver-admission.v1/ */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  /** Empty: the object itself. */
  readonly subResource: string;
  /** As the caller asked for it, where the API server has turned it into another version for the webhook. */
  readonly requestKind?: AdmissionRequest["kind"];
  readonly requestResource?: AdmissionRequest["resource"];
  readonly requestSubResource?: string;
  readonly name: string;
  /** Empty for what is in no namespace. */
  readonly namespace: string;
  readonly operation: Operation;
  readonly userInfo: { readonly username: string; readonly uid?: string; readonly groups: readonly string[] };
  /** Null at DELETE. */
  readonly object: Json | null;
  /** Null at CREATE and CONNECT. */
  readonly oldObject: Json | null;
  readonly dryRun: boolean;
  readonly options: Json | null;
}
