import type { AdvisoryDatabase } from "@bulwark/advisory/lookup";
import { fieldOf, recordsOf, stringOf } from "@bulwark/manifests";
import { plainPackage, type InstalledPackage, type Severity } from "@bulwark/model";
import type { KubeResource } from "@bulwark/kube";

/** One part of Kubernetes somewhere, with what advisories say of its version. */
interface VersionFact {
  /** `node a`, `pod kube-system/etcd-a`. */
  where: string;
  version: string;
  /** With the first version that has it no more; empty where there is none. */
  weaknesses: { id: string; severity: Severity; fixed: string }[];
}

/** Parts by the name that checks know, and how advisories call what they are made of. */
const parts = {
  apiserver: [["binary", "kube-apiserver"]],
  kubelet: [["binary", "kubelet"]],
  controllerManager: [["binary", "kube-controller-manager"]],
  proxy: [["binary", "kube-proxy"]],
  etcd: [
    ["golang", "go.etcd.io/etcd"],
    ["golang", "go.etcd.io/etcd/v3"],
    ["golang", "go.etcd.io/etcd/server/v3"],
  ],
} as const satisfies Record<string, [InstalledPackage["type"], string][]>;
type Part = keyof typeof parts;
type Found = Record<Part, { where: string; version: string }[]>;

/** What a cluster's API tells: the API server itself, nodes of their kubelets, pods by their image. */
export function versionsIn(
  version: string,
  nodes: Readonly<Record<string, { name: string; version: string }>>,
  pods: readonly KubeResource[],
): Found {
  const found: Found = { apiserver: [], kubelet: [], controllerManager: [], proxy: [], etcd: [] };
  if (version !== "") found.apiserver.push({ where: "the API server", version });
  for (const node of Object.values(nodes)) found.kubelet.push({ where: `node ${node.name}`, version: node.version });
  for (const pod of pods) {
    if (pod.metadata.namespace !== "kube-system") continue;
    for (const container of recordsOf(fieldOf(pod, "spec", "containers"))) {
      const [, name = "", tag] = /([^/:@]+)(?::([^/@]+))?(?:@[^/]*)?$/.exec(stringOf(container["image"])) ?? [];
      const part = images[name];
      if (part && tag !== undefined) found[part].push({ where: `pod kube-system/${pod.metadata.name}`, version: tag });
    }
  }
  return found;
}

const images: Readonly<Record<string, Part>> = {
  "kube-controller-manager": "controllerManager",
  "kube-proxy": "proxy",
  etcd: "etcd",
};

/** Facts by part; why a part is not known, by its path, where the database says nothing of it. */
export async function judgeVersions(
  found: Found,
  database: AdvisoryDatabase | undefined,
): Promise<{ versions: Record<string, VersionFact[]>; missing: Record<string, string> }> {
  if (!database)
    return { versions: {}, missing: { versions: "no advisory database is here; bulwark db update gets one" } };
  // When it is needed: who looks at a host does without.
  const { match, unmatched } = await import("@bulwark/advisory/lookup");
  const missing: Record<string, string> = {};
  const versions = Object.entries(found).map(([part, all]): [string, VersionFact[]] => {
    const judged = all.map(({ where, version }): VersionFact => {
      const packages = parts[part as Part].map(([type, name]) => packageOf(type, name, plainVersion(version)));
      const [lack] = unmatched({ os: null, packages, extractors: [] }, database);
      if (lack) missing[`versions[${part}]`] = `${where}, ${version}: ${lack.unknown}`;
      const weaknesses = match({ os: null, packages, extractors: [] }, database);
      const byId = new Map(weaknesses.map((one) => [one.id, one]));
      const known = [...byId.values()].map(({ id, severity, fixedVersion }) => ({
        id,
        severity,
        fixed: fixedVersion ?? "",
      }));
      return { where, version, weaknesses: known.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
    });
    return [part, judged];
  });
  return { versions: Object.fromEntries(versions), missing };
}

/** `v1.29.3-eks-ae9a62a`, `3.5.10-0`: what a distributor adds is no version of the makers'. */
function plainVersion(version: string): string {
  return /^v?(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.?\d*)?)/.exec(version)?.[1] ?? "";
}

function packageOf(type: InstalledPackage["type"], name: string, version: string): InstalledPackage {
  const nothing = { architecture: "", purl: "", location: "", licences: [], layer: null };
  return { ...plainPackage, ...nothing, type, name, version, source: { name, version } };
}
