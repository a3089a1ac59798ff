import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unmountBelow } from "./mounts.ts";
import { eventually, run, startDaemon, type Daemon } from "./process.ts";
import { makeRootfs } from "./rootfs.ts";

export interface ContainerOptions {
  id?: string;
  args?: string[];
  labels?: Record<string, string>;
  mounts?: { source: string; target: string; readOnly?: boolean }[];
  privileged?: boolean;
  /** In the host's network namespace. For other namespaces of the host see `runWithRunc`: `ctr` cannot leave them out. */
  hostNetwork?: boolean;
  /** Name of an image that `importImage` brought, instead of busybox. */
  image?: string;
  /** More flags of `ctr run`. */
  flags?: string[];
}

export interface TestContainer {
  readonly id: string;
  /** Of its first process, seen from the host. */
  readonly pid: number;
  /** Runs a command inside and waits for it; its output. */
  exec(...args: string[]): string;
  /** What its first process has printed so far. */
  logs(): string;
  /** Kills and deletes it. */
  stop(): void;
}

export interface TestContainerd extends AsyncDisposable {
  readonly socket: string;
  readonly namespace: string;
  /** Name and digest of the image of busybox. */
  readonly image: { name: string; digest: string };
  /** `ctr` on this containerd. */
  ctr(...args: string[]): string;
  /** Starts a container, on an overlay file system, in a network namespace of its own with loopback up. */
  run(options?: ContainerOptions): TestContainer;
  /** Makes an image of one layer from a folder. */
  importImage(name: string, rootfs: string): { name: string; digest: string };
  /** Ends the daemon. Its containers run on. */
  down(): Promise<void>;
  /** Starts the daemon again. */
  up(): Promise<void>;
}

/**
 * An own containerd: its root, state and socket in a temporary folder, with an image of busybox. Ends with all of its
 * containers. Needs `root`, `containerd`, `runc`, `busybox`.
 */
export async function startContainerd(): Promise<TestContainerd> {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-containerd-"));
  const socket = join(folder, "containerd.sock");
  const namespace = `test-${folder.slice(-6)}`;
  const ctr = (...args: string[]): string => run("ctr", ["--address", socket, "--namespace", namespace, ...args]);
  let daemon: Daemon | undefined;

  async function up(): Promise<void> {
    daemon ??= startDaemon("containerd", ["--config", join(folder, "config.toml"), "--log-level", "warn"]);
    await eventually("containerd answers", () => ctr("version"));
  }
  async function down(): Promise<void> {
    await daemon?.stop();
    daemon = undefined;
  }

  async function end(): Promise<void> {
    try {
      await up();
      for (const name of ctr("namespaces", "list", "-q").split(/\s+/).filter(Boolean)) removeAll(socket, name);
    } finally {
      await down();
      unmountBelow(folder);
      rmSync(folder, { recursive: true, force: true });
      // Where the shim has runc keep its state, wherever containerd keeps its own.
      rmSync(join("/run/containerd/runc", namespace), { recursive: true, force: true });
    }
  }

  try {
    writeFileSync(join(folder, "config.toml"), config(folder, socket));
    await up();
    makeRootfs(join(folder, "busybox"));
    const importImage = (name: string, rootfs: string): { name: string; digest: string } => {
      const { archive, digest } = makeImage(name, rootfs, mkdtempSync(join(folder, "image-")));
      ctr("images", "import", archive);
      return { name, digest };
    };
    const image = importImage("registry.example/bulwark/busybox:1", join(folder, "busybox"));
    return {
      socket,
      namespace,
      image,
      ctr,
      importImage,
      down,
      up,
      run(options = {}) {
        const { id = `c-${Math.random().toString(36).slice(2, 10)}`, args = ["sleep", "3600"] } = options;
        const log = join(folder, `${id}.log`);
        ctr("run", "-d", "--log-uri", `file://${log}`, ...flagsOf(options), options.image ?? image.name, id, ...args);
        return {
          id,
          pid: pidOf(ctr, id),
          exec: (...command) =>
            ctr("task", "exec", "--exec-id", `e${Math.random().toString(36).slice(2)}`, id, ...command),
          logs: () => (existsSync(log) ? readFileSync(log, "utf8") : ""),
          stop: () => remove(ctr, id),
        };
      },
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    const output = daemon?.output() ?? "";
    await end().catch(() => undefined);
    throw new Error(`containerd: ${output.slice(-2000)}`, { cause: error });
  }
}

type Ctr = (...args: string[]) => string;

function flagsOf({ labels = {}, mounts = [], privileged, hostNetwork, flags = [] }: ContainerOptions): string[] {
  return [
    ...Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
    ...mounts.flatMap(({ source, target, readOnly }) => [
      "--mount",
      `type=bind,src=${source},dst=${target},options=rbind:${readOnly === true ? "ro" : "rw"}`,
    ]),
    ...(privileged === true ? ["--privileged"] : []),
    ...(hostNetwork === true ? ["--net-host"] : []),
    ...flags,
  ];
}

function pidOf(ctr: Ctr, id: string): number {
  const line = ctr("task", "list")
    .split("\n")
    .find((text) => text.startsWith(`${id} `));
  return Number(line?.split(/\s+/)[1]);
}

function removeAll(socket: string, namespace: string): void {
  const ctr: Ctr = (...args) => run("ctr", ["--address", socket, "--namespace", namespace, ...args]);
  for (const id of ctr("containers", "list", "-q").split(/\s+/).filter(Boolean)) remove(ctr, id);
}

function remove(ctr: Ctr, id: string): void {
  for (const args of [
    ["task", "kill", "-s", "SIGKILL", "-a", id],
    ["task", "delete", "-f", id],
    ["container", "delete", id],
  ]) {
    try {
      ctr(...args);
    } catch {
      // Already gone, or not yet: the next call, or the end of the fixture, sees to it.
    }
  }
}

function config(folder: string, socket: string): string {
  return `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
address = "${socket}"
[debug]
address = "${folder}/debug.sock"
`;
}

/** An archive of an OCI layout with one layer, made in `folder`, which is empty before. */
export function makeImage(
  name: string,
  rootfs: string,
  folder: string,
  command: string[] = ["sleep", "3600"],
): { archive: string; digest: string } {
  const layout = join(folder, "layout");
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const layer = join(folder, "layer.tar");
  run("tar", ["--numeric-owner", "--owner=0", "--group=0", "-C", rootfs, "-cf", layer, "."]);
  const diff = `sha256:${run("sha256sum", [layer]).slice(0, 64)}`;
  run("cp", [layer, join(layout, "blobs/sha256", diff.slice(7))]);

  const put = (type: string, value: object): { mediaType: string; digest: string; size: number } => {
    const text = JSON.stringify(value);
    const hash = createHash("sha256").update(text).digest("hex");
    writeFileSync(join(layout, "blobs/sha256", hash), text);
    return { mediaType: type, digest: `sha256:${hash}`, size: text.length };
  };
  const platform = { architecture: process.arch === "x64" ? "amd64" : process.arch, os: "linux" };
  const imageConfig = put("application/vnd.oci.image.config.v1+json", {
    ...platform,
    config: { Env: ["PATH=/bin"], Cmd: command },
    rootfs: { type: "layers", diff_ids: [diff] },
  });
  const size = Number(run("stat", ["-c", "%s", layer]));
  const manifest = put("application/vnd.oci.image.manifest.v1+json", {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: imageConfig,
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: diff, size }],
  });
  const entry = { ...manifest, annotations: { "io.containerd.image.name": name }, platform };
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const archive = join(folder, "image.tar");
  run("tar", ["-C", layout, "-cf", archive, "."]);
  return { archive, digest: manifest.digest };
}
