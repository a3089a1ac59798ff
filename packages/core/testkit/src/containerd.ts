import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, run, startDaemon } from "./process.ts";
import { makeRootfs } from "./rootfs.ts";

export interface ContainerOptions {
  id?: string;
  args?: string[];
  /** More flags of `ctr run`, such as `--privileged` or `--label a=b`. */
  flags?: string[];
}

export interface TestContainer {
  readonly id: string;
  /** Of its first process, seen from the host. */
  readonly pid: number;
  /** Runs a command inside and waits for it; its output. */
  exec(...args: string[]): string;
  stop(): void;
}

export interface TestContainerd extends AsyncDisposable {
  readonly socket: string;
  readonly namespace: string;
  /** Name and digest of the one image that is there. */
  readonly image: { name: string; digest: string };
  /** `ctr` on this containerd. */
  ctr(...args: string[]): string;
  /** Starts a container in a network namespace of its own, with loopback up. */
  run(options?: ContainerOptions): TestContainer;
}

/**
 * An own containerd: its root, state and socket in a temporary folder, with an image of busybox. Ends with all of its
 * containers. Needs `root`, `containerd`, `runc`, `busybox`.
 */
export async function startContainerd(): Promise<TestContainerd> {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-containerd-"));
  const socket = join(folder, "containerd.sock");
  const namespace = `test-${folder.slice(-6)}`;
  writeFileSync(join(folder, "config.toml"), config(folder, socket));
  const daemon = startDaemon("containerd", ["--config", join(folder, "config.toml"), "--log-level", "warn"]);
  const ctr = (...args: string[]): string => run("ctr", ["--address", socket, "--namespace", namespace, ...args]);
  const running = new Set<string>();

  const stop = (id: string): void => {
    running.delete(id);
    for (const args of [
      ["task", "kill", "-s", "SIGKILL", "-a", id],
      ["task", "delete", "-f", id],
      ["container", "delete", id],
    ]) {
      try {
        ctr(...args);
      } catch {
        // Already gone, or not yet: the next call or the end of the folder sees to it.
      }
    }
  };

  try {
    await eventually("containerd answers", () => ctr("version"));
    const image = importImage(folder, ctr);
    return {
      socket,
      namespace,
      image,
      ctr,
      run({ id = `c-${Math.random().toString(36).slice(2, 10)}`, args = ["sleep", "3600"], flags = [] } = {}) {
        ctr(
          "run",
          "-d",
          ...flags,
          image.name,
          id,
          "/bin/sh",
          "-c",
          'ip link set lo up 2>/dev/null; exec "$@"',
          "sh",
          ...args,
        );
        running.add(id);
        const line = ctr("task", "list")
          .split("\n")
          .find((text) => text.startsWith(`${id} `));
        return {
          id,
          pid: Number(line?.split(/\s+/)[1]),
          exec: (...command) =>
            ctr("task", "exec", "--exec-id", `e${Math.random().toString(36).slice(2)}`, id, ...command),
          stop: () => stop(id),
        };
      },
      async [Symbol.asyncDispose]() {
        for (const id of running) stop(id);
        await daemon.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`containerd: ${daemon.output().slice(-2000)}`, { cause: error });
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

/** An OCI layout made here: one layer with busybox. */
function importImage(folder: string, ctr: (...args: string[]) => string): { name: string; digest: string } {
  const name = "registry.example/bulwark/busybox:1";
  const rootfs = join(folder, "rootfs");
  const layout = join(folder, "layout");
  makeRootfs(rootfs);
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
  const imageConfig = put("application/vnd.oci.image.config.v1+json", {
    architecture: "amd64",
    os: "linux",
    config: { Env: ["PATH=/bin"], Cmd: ["sleep", "3600"] },
    rootfs: { type: "layers", diff_ids: [diff] },
  });
  const size = Number(run("stat", ["-c", "%s", layer]));
  const manifest = put("application/vnd.oci.image.manifest.v1+json", {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: imageConfig,
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: diff, size }],
  });
  const entry = {
    ...manifest,
    annotations: { "io.containerd.image.name": name },
    platform: { architecture: "amd64", os: "linux" },
  };
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  run("tar", ["-C", layout, "-cf", join(folder, "image.tar"), "."]);
  ctr("images", "import", join(folder, "image.tar"));
  return { name, digest: manifest.digest };
}
