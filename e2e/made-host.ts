import { execFile } from "node:child_process";
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Of a host that is made: its text, or what it is besides. */
export type MadeFile =
  | string
  | { text?: string | Buffer; mode?: number; uid?: number; gid?: number }
  | { link: string };

export interface MadeHost {
  /** By path; one that ends in `/` is a folder. Below `/proc`, what a program reads there instead. */
  files: Readonly<Record<string, MadeFile>>;
  /** Folders that are file systems of their own, with options. */
  mounts: Readonly<Record<string, string>>;
}

const proc = "proc-of-host";

/** Writes a host into a folder; as root, so that owners are as they should be. */
export function makeHost(folder: string, { files }: MadeHost): void {
  for (const [path, file] of Object.entries(files)) {
    const place = join(folder, path.replace(/^\/proc\//, `/${proc}/`));
    mkdirSync(path.endsWith("/") ? place : dirname(place), { recursive: true });
    if (typeof file === "object" && "link" in file) {
      symlinkSync(file.link, place);
      continue;
    }
    const { text = "", mode, uid = 0, gid = 0 } = typeof file === "string" ? { text: file } : file;
    if (!path.endsWith("/")) writeFileSync(place, text);
    chownSync(place, uid, gid);
    chmodSync(place, mode ?? (path.endsWith("/") ? 0o755 : 0o644));
  }
  chmodSync(folder, 0o755);
}

/** What `oscap` takes of this machine; what the host has of its own is not covered. */
export const openscap = [
  "/usr/bin/{oscap,dpkg,sh}",
  "/usr/lib/*-linux-gnu",
  "/usr/lib64",
  "/usr/lib/*.so*",
  "/usr/share/{dpkg,openscap,xml}",
  "/etc/apt",
];
const devices = ["/dev/null", "/dev/urandom"];

const enter = `
set -e
host=$1; shift
while [ "$1" != -- ]; do mount --bind "$host$1" "$host$1"; mount -o "remount,bind,$2" "$host$1"; shift 2; done; shift
while [ "$1" != -- ]; do mount --bind "$1" "$host$1"; mount -o remount,bind,ro "$host$1"; shift; done; shift
mount -t proc proc "$host/proc"
(cd "$host/${proc}"; find . -type f | while read -r file; do [ ! -e "$host/proc/$file" ] || mount --bind "$file" "$host/proc/$file"; done)
exec chroot "$host" "$@"
`;

/**
 * Runs a program with a made host as its whole machine: it is the root, `/proc` has no process but its own, and what was
 * mounted is gone with it. What is lent are paths of this machine and patterns of them. Gives what the program printed,
 * whatever its exit code.
 */
export async function runIn(
  folder: string,
  { mounts }: MadeHost,
  lent: readonly string[],
  call: readonly string[],
): Promise<string> {
  const borrowed = [...devices, ...lent].flatMap((pattern) => globSync(pattern));
  prepare(folder, Object.keys(mounts), borrowed);
  const words = [folder, ...Object.entries(mounts).flat(), "--", ...borrowed, "--", ...call];
  const options = ["--mount", "--pid", "--fork", "--propagation", "private", "sh", "-c", enter, "sh"];
  const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LANG: "C" };
  return new Promise((resolve, reject) => {
    execFile("unshare", [...options, ...words], { env, maxBuffer: 64 * 1024 ** 2 }, (error, out, err) => {
      if (out === "") reject(new Error(`${call[0]} printed nothing: ${err}`, { cause: error }));
      else resolve(out);
    });
  });
}

/** Every place that something is mounted on. */
function prepare(folder: string, mounts: readonly string[], borrowed: readonly string[]): void {
  for (const path of ["/dev/shm", "/proc", "/sys", "/tmp", "/usr/bin", "/usr/sbin", "/usr/lib", `/${proc}`, ...mounts])
    mkdirSync(join(folder, path), { recursive: true });
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    if (!existsSync(join(folder, name))) symlinkSync(`usr/${name}`, join(folder, name));
  }
  for (const path of borrowed) {
    const place = join(folder, path);
    mkdirSync(statSync(path).isDirectory() ? place : dirname(place), { recursive: true });
    if (!existsSync(place)) writeFileSync(place, "");
  }
}
