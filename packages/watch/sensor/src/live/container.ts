/** Containers for the live tests: busybox on an overlay, run by runc, everything in a folder of their own. */
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { copyFile, link, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { capabilitiesOf } from "@bulwark/model";

const run = promisify(execFile);

export interface TestImage extends AsyncDisposable {
  folder: string;
  /** Runs a shell script in a container of its own, as that user. Resolves when it is over. */
  run(
    script: string,
    user?: number,
    privileged?: boolean,
  ): Promise<{ id: string; code: number | null; output: string }>;
  /** The same, but left running; disposing kills it. */
  start(script: string): Promise<{ id: string } & AsyncDisposable>;
}

export async function makeImage(): Promise<TestImage> {
  const folder = await mkdtemp(join(tmpdir(), "bulwark-sensor-"));
  const [lower, rootfs] = [join(folder, "lower"), join(folder, "rootfs")];
  for (const name of [
    "lower/bin",
    "lower/proc",
    "lower/dev",
    "lower/tmp",
    "lower/opt",
    "lower/fresh",
    "upper",
    "work",
    "rootfs",
    "runc",
  ]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  const { stdout } = await run("sh", ["-c", "command -v busybox"]);
  await copyFile(stdout.trim(), join(lower, "bin/busybox"));
  for (const name of [
    "sh",
    "true",
    "cp",
    "sleep",
    "nc",
    "id",
    "mkdir",
    "ln",
    "chmod",
    "cat",
    "mount",
    "umount",
    "mknod",
    "chroot",
    "unshare",
    "mkfifo",
  ]) {
    await symlink("busybox", join(lower, "bin", name));
  }
  // A file of two names, of which overlayfs keeps no inode that nobody holds.
  await writeFile(join(lower, "opt/key"), "key\n");
  await link(join(lower, "opt/key"), join(lower, "opt/same"));
  await run("clang", [
    "-static",
    "-O1",
    "-Wall",
    "-Werror",
    "-pthread",
    "-o",
    join(lower, "bin/helper"),
    join(import.meta.dirname, "helper.c"),
  ]);
  const layers = `lowerdir=${lower},upperdir=${join(folder, "upper")},workdir=${join(folder, "work")}`;
  await run("mount", ["-t", "overlay", "overlay", "-o", layers, rootfs]);

  return {
    folder,
    async run(script, user = 0, privileged = false) {
      const id = await bundle(folder, script, user, privileged);
      const child = spawn("runc", ["--root", join(folder, "runc"), "run", "-b", join(folder, id), id], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text) => (output += text));
      const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
      return { id, code, output };
    },
    async start(script) {
      const id = await bundle(folder, script, 0);
      const runc = (...args: string[]) =>
        new Promise<void>((resolve, reject) => {
          // Not execFile: the container would keep its pipes, and with them the promise, open.
          const child = spawn("runc", ["--root", join(folder, "runc"), ...args], { stdio: "ignore" });
          child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`runc ${args[0]}: ${code}`))));
        });
      await runc("run", "-d", "-b", join(folder, id), id);
      return { id, [Symbol.asyncDispose]: () => runc("delete", "-f", id) };
    },
    async [Symbol.asyncDispose]() {
      await run("umount", [rootfs]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Writes the configuration (OCI runtime specification 1.0) and returns the id of the container. */
async function bundle(folder: string, script: string, user: number, privileged = false): Promise<string> {
  const id = `bulwark-test-${randomBytes(8).toString("hex")}`;
  const held = privileged ? ownCapabilities() : ["CAP_KILL"];
  const config = {
    ociVersion: "1.0.2",
    root: { path: join(folder, "rootfs") },
    process: {
      user: { uid: user, gid: user },
      args: ["/bin/sh", "-c", script],
      env: ["PATH=/bin"],
      cwd: "/tmp",
      noNewPrivileges: true,
      capabilities: { bounding: held, effective: held, permitted: held },
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs" },
    ],
    linux: {
      cgroupsPath: `/${id}`,
      ...(privileged && { resources: { devices: [{ allow: true, access: "rwm" }] } }),
      namespaces: ["pid", "mount", "network", "ipc", "uts"].map((type) => ({ type })),
    },
  };
  await mkdir(join(folder, id));
  await writeFile(join(folder, id, "config.json"), JSON.stringify(config));
  return id;
}

/** What this machine can give; runc refuses to start with what it cannot. */
function ownCapabilities(): string[] {
  const status = readFileSync("/proc/self/status", "utf8");
  return capabilitiesOf(/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0");
}
