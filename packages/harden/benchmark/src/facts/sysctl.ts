import { readlinkSync } from "node:fs";
import type { Collector, Host } from "../collector.ts";
import { RootError } from "../root.ts";
import { plainLines } from "./files.ts";

const folders = ["kernel", "fs", "vm", "net", "user", "dev"];
const depthLimit = 8;
const countLimit = 10_000;
/** Below these, one folder an interface; `all` and `default` are those that hold of all. */
const interfaces = /^net\/(?:ipv4|ipv6)\/(?:conf|neigh)$/;
const passedOver = new Set(["fs/binfmt_misc", "net/netfilter/nf_log", "dev/cdrom"]);

/**
 * Kernel parameters as they are now: `sysctl["net.ipv4.ip_forward"]`. What a kernel does not have is not in it. Those of
 * the network are of a network namespace: where this process has another than the host, they are missing.
 */
export const sysctl: Collector = {
  variables: ["sysctl", "sysctlFiles"],
  collect(host) {
    const files = host.attempt("sysctlFiles", () => fromFiles(host)) ?? {};
    const values: Record<string, string> = {};
    if (host.proc === undefined || host.root.list("/proc/sys") === undefined) {
      host.miss("sysctl", "the host's /proc is not seen");
      return { sysctl: values, sysctlFiles: files };
    }
    const foreign = networkOfAnother(host);
    for (const folder of folders) walk(host, folder, values, 0);
    if (foreign)
      for (const name of Object.keys(values)) if (name.startsWith("net.")) host.miss(`sysctl[${name}]`, foreign);
    return { sysctl: values, sysctlFiles: files };
  },
};

/** sysctl.d(5): of files with one name the first folder's counts, then all by name, the last value of a parameter wins. */
function fromFiles(host: Host): Record<string, string> {
  const folders = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];
  const paths = new Map<string, string>();
  for (const folder of folders.toReversed()) {
    for (const name of host.root.list(folder) ?? []) if (name.endsWith(".conf")) paths.set(name, `${folder}/${name}`);
  }
  const files = [...paths].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  const lines = [...files, "/etc/sysctl.conf"].flatMap((path) => plainLines(host.root.text(path) ?? ""));
  const pairs = lines.flatMap((line) => {
    const [, name, value = ""] = /^-?([\w./*-]+)\s*=\s*(.*)$/.exec(line) ?? [];
    // Where the first separator is a slash, dots are a part of the name.
    return name === undefined ? [] : [[/^\w+\//.test(name) ? name.replaceAll("/", ".") : name, value.trim()] as const];
  });
  return Object.fromEntries(pairs);
}

function walk(host: Host, place: string, values: Record<string, string>, depth: number): void {
  const names = host.attempt(`sysctl[${place.replaceAll("/", ".")}]`, () => host.root.list(`/proc/sys/${place}`)) ?? [];
  for (const name of names) {
    const at = `${place}/${name}`;
    const stats = host.root.stat(`/proc/sys/${at}`);
    if (stats?.isDirectory() === true) {
      if (interfaces.test(place) && name !== "all" && name !== "default") continue;
      if (!passedOver.has(at) && depth < depthLimit) walk(host, at, values, depth + 1);
      continue;
    }
    // Some can only be written, such as `net.ipv4.route.flush`: they have no value.
    if (!stats || (stats.mode & 0o444) === 0 || Object.keys(values).length >= countLimit) continue;
    read(host, at, values);
  }
}

function read(host: Host, place: string, values: Record<string, string>): void {
  const name = place.replaceAll("/", ".");
  try {
    const text = host.root.text(`/proc/sys/${place}`);
    if (text !== undefined) values[name] = text.trim().replaceAll(/\s+/g, " ").slice(0, 1024);
  } catch (error) {
    if (!(error instanceof RootError)) throw error;
    host.miss(`sysctl[${name}]`, error.message);
  }
}

/** Why parameters of the network are not the host's; undefined where they are. */
function networkOfAnother(host: Host): string | undefined {
  if (host.root.path === "/") return undefined;
  try {
    const own = readlinkSync("/proc/self/ns/net");
    const hosts = host.root.link("/proc/1/ns/net");
    if (hosts === own) return undefined;
    return "this process has another network than the host, and sees only its own parameters; hostNetwork: true shows them";
  } catch {
    return "it cannot be told whether the parameters of the network are the host's";
  }
}
