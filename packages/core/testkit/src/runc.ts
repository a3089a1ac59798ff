import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capabilitiesOf } from "@bulwark/model";
import { unmountBelow } from "./mounts.ts";
import { run } from "./process.ts";
import { makeRootfs } from "./rootfs.ts";

export interface RuncOptions {
  id?: string;
  args?: string[];
  annotations?: Record<string, string>;
  /** `PATH=/bin` where absent. */
  env?: string[];
  mounts?: { source: string; target: string; readOnly?: boolean }[];
  /** All capabilities, all devices, nothing masked, no seccomp. */
  privileged?: boolean;
  /** Rights of its processes, which their programs may add to, as other runtimes have it. runc's own few where absent. */
  capabilities?: readonly string[];
  /** Namespaces of the host to run in, instead of its own. */
  hostNamespaces?: ("pid" | "network" | "ipc" | "uts")[];
  /** A folder to run in, instead of a fresh one with busybox. It is left as it is. */
  rootfs?: string;
  /** Put an overlay over the root file system, so that writes go to an upper layer as with a real image. */
  overlay?: boolean;
  /** State folder (`runc --root`), when several containers are to share one. It is left as it is. */
  root?: string;
}

export interface RuncContainer extends AsyncDisposable {
  readonly id: string;
  /** State folder: `runc --root`. */
  readonly root: string;
  readonly rootfs: string;
  readonly pid: number;
  /** Runs a command inside and waits for it; its output. */
  exec(...args: string[]): string;
  /** What its first process has printed so far. */
  logs(): string;
  /** `runc` on its state folder: `container.runc("pause", container.id)`. */
  runc(...args: string[]): string;
}

/**
 * A container of bare runc, without a daemon, in a network namespace of its own with loopback up. `args` or options.
 * Needs `root`, `runc`, `busybox`.
 */
export function runWithRunc(options: string[] | RuncOptions = {}): RuncContainer {
  const wanted = Array.isArray(options) ? { args: options } : options;
  const folder = mkdtempSync(join(tmpdir(), "bulwark-runc-"));
  const root = wanted.root ?? join(folder, "state");
  const id = wanted.id ?? `runc-${folder.slice(-6)}`;
  const log = join(folder, "log");
  const runc = (...args: string[]): string => run("runc", ["--root", root, ...args]);
  const end = (): void => {
    try {
      if (existsSync(join(root, id))) runc("delete", "-f", id);
    } finally {
      unmountBelow(folder);
      rmSync(folder, { recursive: true, force: true });
    }
  };

  try {
    const rootfs = prepareRootfs(folder, wanted);
    run("runc", ["spec"], { cwd: join(folder, "bundle") });
    const file = join(folder, "bundle/config.json");
    writeFileSync(file, JSON.stringify(adapt(JSON.parse(readFileSync(file, "utf8")) as Spec, rootfs, wanted)));
    // Detached, runc hands its own output to the container: it must not be a pipe that somebody waits for.
    const script = 'exec runc --root "$0" run -d -b "$1" "$2" >"$3" 2>&1 </dev/null';
    try {
      run("sh", ["-c", script, root, join(folder, "bundle"), id, log]);
    } catch (error) {
      throw new Error(`runc: ${readFileSync(log, "utf8")}`, { cause: error });
    }
    const state = JSON.parse(runc("state", id)) as { pid: number };
    return {
      id,
      root,
      rootfs,
      pid: state.pid,
      runc,
      exec: (...command) => runc("exec", id, ...command),
      logs: () => readFileSync(log, "utf8"),
      async [Symbol.asyncDispose]() {
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

function prepareRootfs(folder: string, { rootfs, overlay }: RuncOptions): string {
  const [bundle, lower] = [join(folder, "bundle"), rootfs ?? join(folder, "rootfs")];
  mkdirSync(bundle);
  if (rootfs === undefined) {
    mkdirSync(lower);
    makeRootfs(lower);
  }
  if (overlay !== true) return lower;
  const layers = join(folder, "layers");
  mkdirSync(layers);
  // An overlay takes no layer that is below another one of its own, in the same file system.
  if (folder.startsWith(lower)) run("mount", ["-t", "tmpfs", "-o", "size=512m", "tmpfs", layers]);
  const [upper, work, merged] = ["upper", "work", "merged"].map((name) => join(layers, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [upper, work, merged]) mkdirSync(path);
  run("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${lower},upperdir=${upper},workdir=${work}`, merged]);
  return merged;
}

/** What of the default specification is changed. */
interface Spec {
  process: { terminal: boolean; args: string[]; env: string[]; noNewPrivileges: boolean; capabilities: object };
  root: { path: string; readonly: boolean };
  annotations?: Record<string, string>;
  mounts: { destination: string; type: string; source: string; options: string[] }[];
  linux: {
    namespaces: { type: string }[];
    resources: object;
    maskedPaths?: string[];
    readonlyPaths?: string[];
    cgroupsPath?: string;
  };
}

function adapt(spec: Spec, rootfs: string, options: RuncOptions): Spec {
  const { args = ["sleep", "3600"], env = ["PATH=/bin"], mounts = [], hostNamespaces = [], annotations = {} } = options;
  const bound = mounts.map(({ source, target, readOnly }) => ({
    destination: target,
    type: "bind",
    source,
    options: ["rbind", readOnly === true ? "ro" : "rw"],
  }));
  const host = new Set<string>(hostNamespaces);
  const namespaces = spec.linux.namespaces.filter(({ type }) => !host.has(type));
  const process = { ...spec.process, terminal: false, args, env };
  const changed: Spec = {
    ...spec,
    process,
    annotations,
    root: { path: rootfs, readonly: false },
    mounts: [...spec.mounts.map((mount) => fitting(mount, host)), ...bound],
    linux: { ...spec.linux, namespaces },
  };
  const { capabilities: given, privileged } = options;
  const granted = (names: readonly string[]): Spec["process"] => ({
    ...process,
    ...{ noNewPrivileges: false, capabilities: { bounding: names, effective: names, permitted: names } },
  });
  if (privileged !== true) return given ? { ...changed, process: granted(given) } : changed;
  const { maskedPaths: _masked, readonlyPaths: _readonly, ...linux } = changed.linux;
  return {
    ...changed,
    process: granted(ownCapabilities()),
    linux: { ...linux, resources: { devices: [{ allow: true, access: "rwm" }] } },
  };
}

/** Without a network namespace of its own, a container cannot mount a sysfs; the host's is bound instead. */
function fitting(mount: Spec["mounts"][number], host: ReadonlySet<string>): Spec["mounts"][number] {
  if (mount.type !== "sysfs" || !host.has("network")) return mount;
  return { ...mount, type: "bind", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"] };
}

/** What this machine can give; runc refuses to start with what it cannot. */
function ownCapabilities(): string[] {
  const status = readFileSync("/proc/self/status", "utf8");
  return capabilitiesOf(/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0");
}
