import type { AdvisoryDatabase } from "@bulwark/advisory/lookup";
import { fieldOf, recordsOf, stringOf } from "@bulwark/manifests";
import type { HostPrograms, OperatingSystem, Severity } from "@bulwark/model";
import type { KubeResource } from "@bulwark/kube";
import { packagesOf, plainVersion, type Part } from "./parts.ts";

/** One part somewhere, with what advisories say of its version. */
interface VersionFact {
  /** `node a`, `pod kube-system/etcd-a`, `/usr/sbin/runc`. */
  where: string;
  version: string;
  /** With the first version that has it no more; empty where there is none. */
  weaknesses: { id: string; severity: Severity; fixed: string }[];
}

/** Facts by part; why something is not known, by its path. */
export interface JudgedVersions {
  versions: Record<string, VersionFact[]>;
  missing: Record<string, string>;
}

type Found = HostPrograms["found"];

/** What a cluster's API tells: the API server itself, nodes of their kubelets, pods by their image. */
export function versionsIn(
  version: string,
  nodes: Readonly<Record<string, { name: string; version: string }>>,
  pods: readonly KubeResource[],
): Found {
  const found: Found = [];
  const add = (part: Part, where: string, told: string): void => {
    found.push({ part, where, version: told, packages: packagesOf(part, plainVersion(told)), reason: "" });
  };
  if (version !== "") add("apiserver", "the API server", version);
  for (const node of Object.values(nodes)) add("kubelet", `node ${node.name}`, node.version);
  for (const pod of pods) {
    if (pod.metadata.namespace !== "kube-system") continue;
    for (const container of recordsOf(fieldOf(pod, "spec", "containers"))) {
      const [, name = "", tag] = /([^/:@]+)(?::([^/@]+))?(?:@[^/]*)?$/.exec(stringOf(container["image"])) ?? [];
      const part = images[name];
      if (part && tag !== undefined) add(part, `pod kube-system/${pod.metadata.name}`, tag);
    }
  }
  return found;
}

const images: Readonly<Record<string, Part>> = {
  "kube-controller-manager": "controllerManager",
  "kube-proxy": "proxy",
  etcd: "etcd",
};

/** Parts that the API of a cluster tells of, and those that a host's disk does. */
export const clusterParts: readonly Part[] = ["apiserver", "kubelet", "controllerManager", "proxy", "etcd"];
export const hostParts: readonly Part[] = ["runc", "containerd", "docker", "crio", "cni", "kubelet", "etcd", "crun"];

/** Holds what was found against advisories. A part of which there is none is an empty list. */
export async function judgeVersions(
  asked: readonly Part[],
  found: Found,
  os: OperatingSystem | null,
  database: AdvisoryDatabase | undefined,
): Promise<JudgedVersions> {
  if (!database)
    return { versions: {}, missing: { versions: "no advisory database is here; bulwark db update gets one" } };
  // When it is needed: who looks at a host does without.
  const { match, unmatched } = await import("@bulwark/advisory/lookup");
  const missing: Record<string, string> = {};
  const versions = asked.map((part): [string, VersionFact[]] => {
    const reasons: string[] = [];
    const judged = found
      .filter((one) => one.part === part)
      .map(({ where, version, packages, reason }): VersionFact => {
        const [lack] = unmatched({ os, packages, extractors: [] }, database);
        const why = reason === "" ? lack?.unknown : reason;
        if (why !== undefined) reasons.push(`${where}${version === "" ? "" : `, ${version}`}: ${why}`);
        const byId = new Map(match({ os, packages, extractors: [] }, database).map((one) => [one.id, one]));
        const known = [...byId.values()].map(({ id, severity, fixedVersion }) => ({
          id,
          severity,
          fixed: fixedVersion ?? "",
        }));
        return { where, version, weaknesses: known.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
      });
    // What is known to be weak is weak, whatever is not known beside it.
    if (reasons.length > 0 && judged.every(({ weaknesses }) => weaknesses.length === 0)) {
      missing[`versions[${part}]`] = reasons.join("; ");
    }
    return [part, judged];
  });
  return { versions: Object.fromEntries(versions), missing };
}
