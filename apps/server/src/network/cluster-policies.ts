import type { NetworkCluster } from "@bulwark/contract";
import { can, connect, type Kube } from "@bulwark/kube";
import type { Context } from "../context.ts";
import { namedClusters } from "../kubernetes/keep.ts";
import { listPolicies, reasonOf, type PolicyObject } from "./policy-kinds.ts";
import { toldPolicies } from "./told-policies.ts";

/** Policies of a cluster as they are now; null where they are not known, and why. */
interface ClusterPolicies {
  readonly known: NetworkCluster;
  readonly objects: readonly PolicyObject[] | null;
}

/** Milliseconds: a map that is open asks again and again. */
const freshFor = 3000;
const patience = 10_000;

export interface PolicyReader {
  of(cluster: string, now: number): Promise<ClusterPolicies>;
  /** Something was written: what was read is old. */
  forget(cluster: string): void;
}

export function createPolicyReader(context: () => Context): PolicyReader {
  const read = new Map<string, { at: number; policies: Promise<ClusterPolicies> }>();
  return {
    async of(cluster, now) {
      const before = read.get(cluster);
      if (before && now - before.at < freshFor) return before.policies;
      const policies = readPolicies(cluster, context(), now);
      read.set(cluster, { at: now, policies });
      return policies;
    },
    forget: (cluster) => void read.delete(cluster),
  };
}

/** To be closed; undefined where this server has no access to the cluster. Raises `KubeError` for one that is not set up well. */
export function openCluster(cluster: string, context: Context): Kube | undefined {
  const named = namedClusters(context).find(({ name }) => name === cluster);
  return named && connect(named.access);
}

export function unreachable(cluster: string): { reason: string; remedy: string } {
  return {
    reason: `this server has no access to the API server of ${cluster}`,
    remedy: "name the cluster under server.kubernetes.clusters, or let a server run in it",
  };
}

async function readPolicies(cluster: string, context: Context, now: number): Promise<ClusterPolicies> {
  const unknown = { cluster, policies: null, writable: false };
  try {
    using kube = openCluster(cluster, context);
    if (!kube) return await readTold(cluster, context, now);
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`${cluster} did not answer in ${patience / 1000} s`)), patience).unref();
    });
    const [objects, writable] = await Promise.race([Promise.all([listPolicies(kube), mayWrite(kube)]), late]);
    const refused = {
      reason: `this server may not write network policies into ${cluster}`,
      remedy: "give its account create, update and delete of networkpolicies (chart: server.writeNetworkPolicies)",
    };
    return {
      known: { cluster, policies: objects.length, writable, ...(writable ? { reason: "", remedy: "" } : refused) },
      objects,
    };
  } catch (error) {
    return { known: { ...unknown, ...reasonOf(error) }, objects: null };
  }
}

/** Of a cluster that a collector tells of: its policies are known, and nothing can be put into it. */
async function readTold(cluster: string, context: Context, now: number): Promise<ClusterPolicies> {
  const unknown = { cluster, policies: null, writable: false };
  const told = await toldPolicies(cluster, context, now);
  if (!told) return { known: { ...unknown, ...unreachable(cluster) }, objects: null };
  if (!("objects" in told)) return { known: { ...unknown, ...told }, objects: null };
  const { objects } = told;
  const { remedy } = unreachable(cluster);
  const reason = `${cluster} is known by its collector, which tells of NetworkPolicies alone and writes nothing`;
  return { known: { cluster, policies: objects.length, writable: false, reason, remedy }, objects };
}

async function mayWrite(kube: Kube): Promise<boolean> {
  const group = "networking.k8s.io";
  const answers = await Promise.all(
    ["create", "update", "delete"].map(async (verb) => can(kube, { verb, group, resource: "networkpolicies" })),
  );
  return answers.every(({ allowed }) => allowed);
}
