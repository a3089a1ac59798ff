import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";

/** What a file tree of a test does without. */
const leftOut = ["doc", "locale", "man", "info", "i18n", "zoneinfo"].map((name) => `/usr/share/${name}/*`);

/**
 * A tar archive of the essential packages of a release of Debian, as mmdebstrap installs them. It is made once and kept
 * outside of the tree, in `~/.cache/bulwark-test`. Needs `root`, `mmdebstrap`.
 */
export function debianArchive(release: string): string {
  const folder = join(homedir(), ".cache/bulwark-test");
  const file = join(folder, `debian-${release}.tar`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const beside = `${file}.${process.pid}.new.tar`;
  const options = leftOut.map((path) => `--dpkgopt=path-exclude=${path}`);
  const made = spawnSync("mmdebstrap", ["--variant=essential", "--quiet", ...options, release, beside], {
    encoding: "utf8",
    timeout: 240_000,
  });
  if (made.status !== 0) {
    rmSync(beside, { force: true });
    throw new Error(`mmdebstrap ${release}: ${made.error?.message ?? made.stderr.slice(-2000)}`);
  }
  renameSync(beside, file);
  return file;
}
