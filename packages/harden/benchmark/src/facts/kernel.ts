import { gunzipSync } from "node:zlib";
import { errorText } from "@bulwark/model";
import type { Collector, Host } from "../collector.ts";
import { RootError } from "../root.ts";
import { plainLines } from "./files.ts";

/** Compressed, a configuration has about 50 kB, and 300 kB of text. */
const configLimit = 16 * 1024 * 1024;

/**
 * The kernel that runs: its release, what it was built with (`kernel.config`: `y`, `m` or a value; what is not set is not
 * in it), its command line (`kernel.arguments`), and its modules.
 */
export const kernel: Collector = {
  variables: ["kernel", "modules"],
  collect(host) {
    const release = host.attempt("kernel.release", () => host.root.text("/proc/sys/kernel/osrelease")?.trim());
    if (release === undefined) host.miss("kernel.release", "the host's /proc is not seen");
    const facts = {
      release: release ?? "",
      config: host.attempt("kernel.config", () => configOf(host, release ?? "")) ?? {},
      arguments: argumentsOf(host),
    };
    return { kernel: facts, modules: modulesOf(host, release) };
  },
};

function configOf(host: Host, release: string): Record<string, string> {
  const compressed = host.root.bytes("/proc/config.gz");
  if (compressed) return parseConfig(unpacked(compressed));
  for (const path of [
    `/boot/config-${release}`,
    `/lib/modules/${release}/config`,
    `/usr/lib/modules/${release}/config`,
  ]) {
    const text = release === "" ? undefined : host.root.text(path);
    if (text !== undefined) return parseConfig(text);
  }
  throw new RootError(
    "unreadable",
    `no configuration of the kernel: neither /proc/config.gz nor /boot/config-${release}`,
  );
}

function unpacked(compressed: Buffer): string {
  try {
    return gunzipSync(compressed, { maxOutputLength: configLimit }).toString("latin1");
  } catch (error) {
    throw new RootError("unreadable", `/proc/config.gz: ${errorText(error)}`, { cause: error });
  }
}

function parseConfig(text: string): Record<string, string> {
  const found = plainLines(text).flatMap((line) => {
    const [, name, value = ""] = /^(CONFIG_\w+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value.replace(/^"(.*)"$/, "$1")] as const];
  });
  return Object.fromEntries(found);
}

/** `{ audit: "1", quiet: "" }`; the last of a name counts, as the kernel reads it. */
function argumentsOf(host: Host): Record<string, string> {
  const text = host.attempt("kernel.arguments", () => host.root.text("/proc/cmdline"));
  if (text === undefined) host.miss("kernel.arguments", "the host's /proc is not seen");
  const words = text?.trim().match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  const pairs = words.map((word) => {
    const [name = "", ...value] = word.split("=");
    return [name.replaceAll("-", "_"), value.join("=").replaceAll('"', "")] as const;
  });
  return Object.fromEntries(pairs);
}

const modprobeFolders = [
  "/etc/modprobe.d",
  "/run/modprobe.d",
  "/usr/local/lib/modprobe.d",
  "/usr/lib/modprobe.d",
  "/lib/modprobe.d",
];

interface ModuleFacts {
  loaded: string[];
  /** Part of the kernel itself. */
  builtin: string[];
  /** On disk, so that they could be loaded. */
  available: string[];
  /** Those of which `install NAME /bin/false` or `/bin/true` makes loading do nothing. */
  disabled: string[];
  blacklisted: string[];
}

/** Names with `_` for `-`, as the kernel has them. */
function modulesOf(host: Host, release: string | undefined): ModuleFacts {
  const lines = host.attempt("modules.disabled", () => modprobeLines(host)) ?? [];
  const folder = `/lib/modules/${release}`;
  const loaded = host.attempt("modules.loaded", () => host.root.text("/proc/modules"));
  if (host.proc === undefined) host.miss("modules.loaded", "the host's /proc is not seen");
  const names = (path: string, name: string): string[] =>
    (host.attempt(`modules.${name}`, () => host.root.text(path)) ?? "").split("\n").flatMap(moduleName);
  return {
    loaded: (loaded ?? "").split("\n").flatMap((line) => line.split(" ", 1)[0] || []),
    builtin: names(`${folder}/modules.builtin`, "builtin"),
    available: names(`${folder}/modules.dep`, "available"),
    disabled: lines.flatMap((line) => kernelName(/^install\s+(\S+)\s+\S*\/(?:false|true)\b/.exec(line)?.[1])),
    blacklisted: lines.flatMap((line) => kernelName(/^blacklist\s+(\S+)/.exec(line)?.[1])),
  };
}

function modprobeLines(host: Host): string[] {
  return modprobeFolders.flatMap((folder) =>
    (host.root.list(folder) ?? [])
      .filter((name) => name.endsWith(".conf"))
      .flatMap((name) => plainLines(host.root.text(`${folder}/${name}`) ?? "")),
  );
}

/** `kernel/fs/cramfs/cramfs.ko.zst: …` is `cramfs`. */
function moduleName(line: string): string[] {
  return kernelName(/([^/:]+)\.ko(?:\.\w+)?(?::|$)/.exec(line)?.[1]);
}

function kernelName(name: string | undefined): string[] {
  return name === undefined ? [] : [name.replaceAll("-", "_")];
}
