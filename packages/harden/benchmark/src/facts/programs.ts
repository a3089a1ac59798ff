import { inventoryAnalyzer, osFiles } from "@bulwark/inventory/analyzer";
import type { HostPrograms, InstalledPackage, Inventory } from "@bulwark/model";
import type { Collector, Host } from "../collector.ts";
import { packagesOf, parts, plainVersion, type Part } from "../parts.ts";

/** One program that a host has of a part, and whose version says what is known of it. */
type Program = HostPrograms["found"][number];

/**
 * Runtimes and parts of Kubernetes as programs on the host's disk: of which version each is, by the distribution's package
 * that brought it, else by what Go wrote into it. Nothing is run to ask it.
 */
export const programs: Collector = {
  variables: ["programs"],
  collect(host) {
    const { os, found } = programsOf(host);
    return { programs: { os, found } };
  },
};

const folders = [
  ...["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/opt/bin"],
  ...["/var/lib/rancher/rke2/bin", "/var/lib/rancher/k3s/data/current/bin"],
];
const pluginFolders = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni", "/var/lib/rancher/k3s/data/cni"];

/** Names of the program; of plugins one that everybody has stands for all. */
const files: Readonly<Partial<Record<Part, readonly string[]>>> = {
  runc: folders.map((folder) => `${folder}/runc`),
  crun: folders.map((folder) => `${folder}/crun`),
  containerd: folders.map((folder) => `${folder}/containerd`),
  docker: folders.map((folder) => `${folder}/dockerd`),
  crio: folders.map((folder) => `${folder}/crio`),
  cni: pluginFolders.map((folder) => `${folder}/bridge`),
  kubelet: folders.map((folder) => `${folder}/kubelet`),
  etcd: folders.map((folder) => `${folder}/etcd`),
};

/** Databases of packages; of dpkg's lists of files those of packages that have one of the programs. */
const databases = [
  "/var/lib/dpkg/status",
  ...["/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/lib/apk/db/installed"],
  ...[
    ...[
      "runc",
      "moby-runc",
      "crun",
      "containerd",
      "containerd.io",
      "moby-containerd",
      "docker.io",
      "docker-ce",
      "moby-engine",
    ],
    ...["cri-o", "containernetworking-plugins", "kubernetes-cni", "kubelet", "etcd-server", "etcd"],
  ].map((name) => `/var/lib/dpkg/info/${name}.list`),
];

/** A kubelet is about 100 MB. */
const sizeLimit = 512 * 1024 * 1024;

function programsOf(host: Host): HostPrograms {
  const facts: Facts = [];
  const osRelease = new Map<string, string>();
  const places: { part: Part; path: string }[] = [];

  function examine(path: string): boolean {
    const stat = host.root.stat(path);
    if (!stat?.isFile() || stat.size === 0) return false;
    const { size, mode, uid, gid } = stat;
    const entry = { path, size, mode: mode & 0o7777, uid, gid, layer: null };
    if (!inventoryAnalyzer.wants(entry)) return false;
    const fact = inventoryAnalyzer.examine(entry, host.root.bytes(path, sizeLimit) ?? Buffer.alloc(0));
    if (fact !== undefined) facts.push({ entry, fact, removed: false });
    return true;
  }

  for (const path of osFiles) {
    const text = host.attempt("programs.os", () => host.root.text(path));
    if (text !== undefined) osRelease.set(path, text);
  }
  for (const path of databases) host.attempt("programs.packages", () => examine(path));
  const seen = new Set<string>();
  for (const [part, paths] of Object.entries(files) as [Part, string[]][]) {
    for (const path of paths) {
      host.attempt(`programs.${part}`, () => {
        const real = host.root.real(path);
        if (real === undefined || seen.has(`${part} ${real}`)) return;
        seen.add(`${part} ${real}`);
        if (examine(real)) places.push({ part, path: real });
      });
    }
  }
  const tree = { name: host.root.path, layers: [], config: null, osRelease, faults: [] };
  facts.sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
  const inventory = inventoryAnalyzer.conclude({ facts, faults: [], tree });
  return { os: inventory.os, found: places.map(({ part, path }) => programOf(part, path, inventory, facts)) };
}

type Facts = Parameters<typeof inventoryAnalyzer.conclude>[0]["facts"];

function programOf(part: Part, path: string, { packages }: Inventory, facts: Facts): Program {
  const here = packages.filter(({ location }) => location === path);
  const owner = here.find(({ ownedBy }) => ownedBy !== null)?.ownedBy;
  const owning = packages.find(({ purl }) => purl !== "" && purl === owner) ?? bringing(path, packages, facts);
  if (owning) return byPackage(part, path, owning);
  const { modules } = parts[part];
  const main = here.find(({ name }) => modules.some((module) => module === name));
  const version = plainVersion(main?.version ?? "");
  if (version !== "") return { part, where: path, version, packages: packagesOf(part, version), reason: "" };
  return { part, where: path, version: "", packages: [], reason: "the program does not tell its version" };
}

/** The package that brought a program of which nothing but its name is known: one in C, or one that Go wrote nothing into. */
function bringing(path: string, packages: readonly InstalledPackage[], facts: Facts): InstalledPackage | undefined {
  const owners = facts.flatMap(({ fact }) =>
    Object.values(fact).flatMap((found) => (typeof found === "string" ? [] : (found.owned ?? []))),
  );
  const owner = owners.find(({ paths }) => paths.includes(path));
  return owner && packages.find(({ type, name }) => type === owner.type && name === owner.name);
}

/** A maker's own package has the maker's version; a distribution mends without a new one, and says itself what it has mended. */
function byPackage(part: Part, path: string, owning: InstalledPackage): Program {
  const where = `${path} of the package ${owning.name}`;
  const { version } = owning;
  if (!(parts[part].makers as readonly string[]).includes(owning.name)) {
    return { part, where, version, packages: [owning], reason: "" };
  }
  const own = plainVersion(version.replace(/^\d+:/, ""));
  const reason = own === "" ? `its package has the version ${version}, which is none of the makers'` : "";
  return { part, where, version, packages: own === "" ? [] : packagesOf(part, own), reason };
}
