import { isRecord } from "@bulwark/manifests";
import { same } from "./json-patch.ts";
import type { Json } from "./request.ts";

/**
 * Lists whose items are told apart by a key, so that one is merged into its like and not put in its place: from
 * `x-kubernetes-list-map-keys` of Kubernetes' own types. Every other list is replaced as a whole.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
const listKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  ephemeralContainers: ["name"],
  volumes: ["name"],
  env: ["name"],
  volumeMounts: ["mountPath"],
  volumeDevices: ["devicePath"],
  imagePullSecrets: ["name"],
  hostAliases: ["ip"],
  topologySpreadConstraints: ["topologyKey", "whenUnsatisfiable"],
  schedulingGates: ["name"],
  resourceClaims: ["name"],
  conditions: ["type"],
  ownerReferences: ["uid"],
  webhooks: ["name"],
};
/** `ports` are those of a container, or of a Service. */
const portKeys = { container: ["containerPort", "protocol"], service: ["port", "protocol"] } as const;

/** Lists that are sets. */
const sets = new Set(["finalizers"]);

/** What the object is after a server-side apply of the configuration, whose owner owned nothing before. */
export function applyConfiguration(object: Json, configuration: Json): Json {
  return mergeObjects(object, configuration);
}

function mergeObjects(into: Json, from: Json): Json {
  const merged: Record<string, unknown> = { ...into };
  for (const [key, value] of Object.entries(from)) merged[key] = merge(key, merged[key], value);
  return merged;
}

function merge(field: string, into: unknown, from: unknown): unknown {
  if (isRecord(into) && isRecord(from)) return mergeObjects(into, from);
  if (!Array.isArray(into) || !Array.isArray(from)) return from;
  if (sets.has(field)) return [...into, ...from.filter((item) => !into.some((one) => same(one, item)))];
  const keys = keysOf(field, [...into, ...from]);
  if (!keys) return from;
  const merged: unknown[] = [...into];
  for (const item of from) {
    const at = merged.findIndex(
      (one) => isRecord(one) && isRecord(item) && keys.every((key) => one[key] === (item[key] ?? defaultOf(key, one))),
    );
    if (at < 0) merged.push(item);
    else merged[at] = mergeObjects(merged[at] as Json, item as Json);
  }
  return merged;
}

function keysOf(field: string, items: readonly unknown[]): readonly string[] | undefined {
  if (field !== "ports") return Object.hasOwn(listKeys, field) ? listKeys[field] : undefined;
  if (items.every((item) => isRecord(item) && item["containerPort"] !== undefined)) return portKeys.container;
  return items.every((item) => isRecord(item) && item["port"] !== undefined) ? portKeys.service : undefined;
}

/** The API server has filled in the protocol; a configuration need not say it. */
function defaultOf(key: string, present: Json): unknown {
  return key === "protocol" && present[key] === undefined ? undefined : key === "protocol" ? "TCP" : undefined;
}
