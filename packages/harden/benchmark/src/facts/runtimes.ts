import { errorText } from "@bulwark/model";
import { parse } from "smol-toml";
import type { Collector, Host } from "../collector.ts";
import { RootError } from "../root.ts";
import { matches, statFacts } from "./files.ts";
import { flagsOf, processesOf, type ProcessFact } from "./processes.ts";

/**
 * Container runtimes as they were started and by their files: flags, `daemon.json` of Docker, TOML of containerd and
 * CRI-O with its drop-ins. A setting that no file has is not there: what holds then is the runtime's default, which the
 * check knows.
 */
export const runtimes: Collector = {
  variables: ["docker", "containerd", "crio"],
  collect: (host) => ({ docker: dockerOf(host), containerd: containerdOf(host), crio: crioOf(host) }),
};

interface Daemon {
  running: boolean;
  flags: Record<string, string>;
  /** Every value of flags that may be given more than once, such as `--host`. */
  hosts: string[];
  config: Record<string, unknown>;
  configPath: string;
  uid: number;
}

function daemonOf(
  host: Host,
  variable: string,
  name: string,
): Omit<Daemon, "config" | "configPath"> & { process?: ProcessFact } {
  const process = processesOf(host).find((one) => one.name === name);
  if (host.proc === undefined) host.miss(`${variable}.running`, "the host's processes are not seen");
  const words = process?.arguments ?? [];
  const hosts = words.flatMap((word, at) => {
    const [, joined] = /^(?:--host|-H)=(.*)$/.exec(word) ?? [];
    return joined ?? (word === "-H" || word === "--host" ? (words[at + 1] ?? []) : []);
  });
  return { running: process !== undefined, flags: flagsOf(words), hosts, uid: process?.uid ?? -1 };
}

function dockerOf(host: Host): Daemon {
  const daemon = daemonOf(host, "docker", "dockerd");
  const configPath = daemon.flags["config-file"] ?? "/etc/docker/daemon.json";
  const config = host.attempt("docker.config", () => json(configPath, host.root.text(configPath))) ?? {};
  return { ...daemon, config, configPath };
}

function json(path: string, text: string | undefined): Record<string, unknown> {
  if (text === undefined || text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new Error("not an object");
  } catch (error) {
    throw new RootError("unreadable", `${path}: ${errorText(error)}`, { cause: error });
  }
}

interface Containerd extends Daemon {
  /** `address` of its socket, with what is known of that file. */
  socket: Record<string, unknown>;
  /** The table of the CRI plugin, whatever version of the file it is in. */
  cri: Record<string, unknown>;
}

function containerdOf(host: Host): Containerd {
  const daemon = daemonOf(host, "containerd", "containerd");
  const configPath = daemon.flags["config"] ?? daemon.flags["c"] ?? "/etc/containerd/config.toml";
  const config = host.attempt("containerd.config", () => tomlWithImports(host, configPath)) ?? {};
  const grpc = tableOf(config["grpc"]);
  const address =
    typeof grpc["address"] === "string"
      ? grpc["address"]
      : (daemon.flags["address"] ?? "/run/containerd/containerd.sock");
  const stats = host.attempt("containerd.socket", () => host.root.stat(address));
  const plugins = tableOf(config["plugins"]);
  const names = ["io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri", "cri"];
  const cri = names.map((name) => tableOf(plugins[name])).find((table) => Object.keys(table).length > 0) ?? {};
  return {
    ...daemon,
    config,
    configPath,
    socket: stats ? { path: address, exists: true, ...statFacts(host, stats) } : { path: address, exists: false },
    cri,
  };
}

/** `imports` of containerd's file: later ones win, table by table. */
function tomlWithImports(host: Host, path: string): Record<string, unknown> {
  const main = toml(path, host.root.text(path));
  const imports = Array.isArray(main["imports"]) ? main["imports"].filter((one) => typeof one === "string") : [];
  const files = imports.slice(0, 64).flatMap((one) => (one.includes("*") ? matches(host, one) : [one]));
  return files.reduce((config, file) => merged(config, toml(file, host.root.text(file))), main);
}

function crioOf(
  host: Host,
): Daemon & { runtime: Record<string, unknown>; api: Record<string, unknown>; image: Record<string, unknown> } {
  const daemon = daemonOf(host, "crio", "crio");
  const configPath = daemon.flags["config"] ?? "/etc/crio/crio.conf";
  const folder = daemon.flags["config-dir"] ?? "/etc/crio/crio.conf.d";
  const config =
    host.attempt("crio.config", () =>
      [configPath, ...matches(host, `${folder}/*`)].reduce(
        (config, file) => merged(config, toml(file, host.root.text(file))),
        {} as Record<string, unknown>,
      ),
    ) ?? {};
  const crio = tableOf(config["crio"]);
  return {
    ...daemon,
    config,
    configPath,
    runtime: tableOf(crio["runtime"]),
    api: tableOf(crio["api"]),
    image: tableOf(crio["image"]),
  };
}

function toml(path: string, text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    return parse(text);
  } catch (error) {
    throw new RootError("unreadable", `${path}: ${errorText(error)}`, { cause: error });
  }
}

function merged(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const result = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = result[key];
    result[key] = isTable(before) && isTable(value) ? merged(before, value) : value;
  }
  return result;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function tableOf(value: unknown): Record<string, unknown> {
  return isTable(value) ? value : {};
}
