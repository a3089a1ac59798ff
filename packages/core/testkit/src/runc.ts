import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./process.ts";
import { makeRootfs } from "./rootfs.ts";

export interface RuncContainer extends AsyncDisposable {
  readonly id: string;
  /** State folder: `runc --root`. */
  readonly root: string;
  readonly rootfs: string;
  readonly pid: number;
  exec(...args: string[]): string;
}

/** A container of bare runc with a root file system of busybox; no daemon. Needs `root`, `runc`, `busybox`. */
export function runWithRunc(args: string[] = ["sleep", "3600"]): RuncContainer {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-runc-"));
  const root = join(folder, "state");
  const id = `runc-${folder.slice(-6)}`;
  const rootfs = join(folder, "bundle/rootfs");
  mkdirSync(rootfs, { recursive: true });
  makeRootfs(rootfs);
  run("runc", ["spec"], { cwd: join(folder, "bundle") });
  const file = join(folder, "bundle/config.json");
  const spec = JSON.parse(readFileSync(file, "utf8")) as {
    process: { terminal: boolean; args: string[]; env: string[] };
  };
  spec.process = { ...spec.process, terminal: false, args, env: ["PATH=/bin"] };
  writeFileSync(file, JSON.stringify(spec));
  // Detached, runc hands its own output to the container: it must not be a pipe that somebody waits for.
  run("sh", [
    "-c",
    `exec runc --root "$0" run -d -b "$1" "$2" >/dev/null 2>&1 </dev/null`,
    root,
    join(folder, "bundle"),
    id,
  ]);
  const state = JSON.parse(run("runc", ["--root", root, "state", id])) as { pid: number };
  return {
    id,
    root,
    rootfs,
    pid: state.pid,
    exec: (...command) => run("runc", ["--root", root, "exec", id, ...command]),
    async [Symbol.asyncDispose]() {
      run("runc", ["--root", root, "delete", "-f", id]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
