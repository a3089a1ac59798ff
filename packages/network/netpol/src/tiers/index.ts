import { NetpolError, problemText, type Problem } from "../error.ts";
import { policyName, type Policy, type PolicyRef } from "../policy.ts";
import { field, isRecord, reporter, type Node, type Report } from "../read.ts";
import { readAdminNetworkPolicy, readBaselineAdminNetworkPolicy } from "./admin-network-policy.ts";
import { readCiliumNetworkPolicy } from "./cilium-network-policy.ts";
import { readClusterNetworkPolicy } from "./cluster-network-policy.ts";
import { readNetworkPolicy } from "./network-policy.ts";
import type { Resolve } from "./resolve.ts";

interface Kind {
  readonly group: string;
  readonly versions: readonly string[];
  readonly namespaced: boolean;
  read(object: Node, ref: PolicyRef, resolve: Resolve): Policy[];
}

const ofSpec =
  (read: (spec: Node, ref: PolicyRef, resolve: Resolve) => Policy | undefined): Kind["read"] =>
  (object, ref, resolve) => {
    const spec = field(object, "spec");
    if (!spec) object.report.error("spec", "is missing");
    const policy = spec && read(spec, ref, resolve);
    return policy ? [policy] : [];
  };

/** Every kind of policy that is understood. A new one is a file beside this and a line here. */
const known: Readonly<Record<string, Kind>> = {
  NetworkPolicy: {
    group: "networking.k8s.io",
    versions: ["v1"],
    namespaced: true,
    read: ofSpec(readNetworkPolicy),
  },
  AdminNetworkPolicy: {
    group: "policy.networking.k8s.io",
    versions: ["v1alpha1"],
    namespaced: false,
    read: ofSpec(readAdminNetworkPolicy),
  },
  BaselineAdminNetworkPolicy: {
    group: "policy.networking.k8s.io",
    versions: ["v1alpha1"],
    namespaced: false,
    read: ofSpec(readBaselineAdminNetworkPolicy),
  },
  ClusterNetworkPolicy: {
    group: "policy.networking.k8s.io",
    versions: ["v1alpha2"],
    namespaced: false,
    read: ofSpec(readClusterNetworkPolicy),
  },
  CiliumNetworkPolicy: { group: "cilium.io", versions: ["v2"], namespaced: true, read: readCiliumNetworkPolicy },
  CiliumClusterwideNetworkPolicy: {
    group: "cilium.io",
    versions: ["v2"],
    namespaced: false,
    read: readCiliumNetworkPolicy,
  },
};
const kinds: ReadonlyMap<string, Kind> = new Map(Object.entries(known));

/** Whether an object is a policy of a kind that is understood here. */
export function isPolicy(object: unknown): boolean {
  if (!isRecord(object) || typeof object["kind"] !== "string") return false;
  const group = typeof object["apiVersion"] === "string" ? object["apiVersion"].split("/")[0] : undefined;
  const kind = kinds.get(object["kind"]);
  return kind !== undefined && (group === undefined || kind.group === group);
}

/** An object as it was written, and where. */
export interface Sourced {
  readonly object: unknown;
  readonly source: string | null;
}

/**
 * Reads policies of all kinds into the one form. A policy with an error is left out, as an API server would refuse it;
 * `problems` says which and why.
 */
export function readPolicies(
  objects: readonly Sourced[],
  resolve: Resolve,
): { policies: Policy[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const policies: Policy[] = [];
  const seen = new Set<string>();
  for (const { object, source } of objects) {
    const own: Problem[] = [];
    policies.push(...readPolicy(object, source, resolve, seen, own));
    problems.push(...own);
  }
  return { policies, problems };
}

function readPolicy(
  object: unknown,
  source: string | null,
  resolve: Resolve,
  seen: Set<string>,
  own: Problem[],
): Policy[] {
  const named = identify(object);
  const ref: PolicyRef = Object.freeze({ ...named, source });
  const report = reporter(policyName(ref), source, own);
  const kind = kinds.get(ref.kind);
  if (!isRecord(object)) {
    report.error("metadata.name", "is missing: this is no object");
    return [];
  }
  if (!kind) {
    report.error("kind", `is none of ${[...kinds.keys()].join(", ")}`);
    return [];
  }
  checkIdentity(object, ref, kind, report);
  const key = policyName(ref);
  if (seen.has(key)) report.error("metadata.name", "is there twice; only one policy can have this name");
  seen.add(key);
  const policies = kind.read({ value: object, path: "", report }, ref, resolve);
  return own.some(({ severity }) => severity === "error") ? [] : policies;
}

/** Without a kind it is a NetworkPolicy, which is what a bare `{metadata, spec}` has always been taken for. */
function identify(object: unknown): Pick<PolicyRef, "kind" | "namespace" | "name"> {
  const record = isRecord(object) ? object : {};
  const metadata = isRecord(record["metadata"]) ? record["metadata"] : {};
  const kind = typeof record["kind"] === "string" ? record["kind"] : "NetworkPolicy";
  const namespace = typeof metadata["namespace"] === "string" ? metadata["namespace"] : "default";
  const name = typeof metadata["name"] === "string" ? metadata["name"] : "(unnamed)";
  return { kind, namespace: kinds.get(kind)?.namespaced === false ? null : namespace, name };
}

function checkIdentity(object: Record<string, unknown>, ref: PolicyRef, kind: Kind, report: Report): void {
  const accepted = kind.versions.map((version) => `${kind.group}/${version}`);
  const version = object["apiVersion"];
  if (version !== undefined && !accepted.some((one) => one === version)) {
    report.error("apiVersion", `must be ${accepted.join(" or ")}, not ${JSON.stringify(version)}`);
  }
  if (ref.name === "(unnamed)") report.error("metadata.name", "is missing");
  else if (!/^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/.test(ref.name)) {
    report.error("metadata.name", `${JSON.stringify(ref.name)} must be lower case letters, digits, - and .`);
  }
}

/** Raises `NetpolError` when any of the problems is an error. */
export function refuse(problems: readonly Problem[]): void {
  const errors = problems.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (!first) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new NetpolError("invalid", problemText(first) + more, {
    remedy: "mend the object; an API server would not take it either",
    problems: errors,
  });
}
