import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const source = join(import.meta.dirname, "programs");
const version = "v1.36.3";
const stamp = (name: string, value: string): string => `-X k8s.io/component-base/version.${name}=${value}`;

/** What the test cluster is made of, each a package of the Go module in `programs/`. */
const packages = {
  pause: { path: "./pause", flags: "-s -w" },
  kubernetes: {
    path: "./kubernetes",
    flags: `-s -w ${stamp("gitVersion", version)} ${stamp("gitMajor", "1")} ${stamp("gitMinor", "36")}`,
  },
  coredns: { path: "./coredns", flags: "-s -w" },
  helm: { path: "helm.sh/helm/v3/cmd/helm", flags: "-s -w -X helm.sh/helm/v3/internal/version.version=v3.21.4" },
};

export type ProgramName = keyof typeof packages;
export type Programs = Record<ProgramName, string>;

/**
 * Paths of the programs, built once from published Go modules (minutes on two cores) into
 * `$XDG_CACHE_HOME/bulwark-e2e`, outside the tree; a second process that asks meanwhile waits for the first.
 */
export async function buildPrograms(say: (text: string) => void = console.error): Promise<Programs> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "bulwark-e2e", `programs-${sourceHash()}`);
  mkdirSync(folder, { recursive: true });
  const names = Object.keys(packages) as ProgramName[];
  if (names.some((name) => !existsSync(join(folder, name)))) {
    await withLock(join(folder, "lock"), async () => {
      for (const name of names) if (!existsSync(join(folder, name))) await build(name, folder, say);
    });
  }
  return Object.fromEntries(names.map((name) => [name, join(folder, name)])) as Programs;
}

async function build(name: ProgramName, folder: string, say: (text: string) => void): Promise<void> {
  const started = Date.now();
  say(`cluster: building ${name} from its Go modules, once`);
  const target = join(folder, name);
  const { path, flags } = packages[name];
  const args = ["build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", `${target}.new`, path];
  // The machine's own settings of modules must not change what is built.
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" };
  const child = spawn("go", args, { cwd: source, env, stdio: ["ignore", "inherit", "inherit"] });
  const status = await new Promise((resolve, reject) => {
    child.once("exit", (code, signal) => resolve(code ?? signal));
    child.once("error", reject);
  });
  if (status !== 0) throw new Error(`go ${args.join(" ")} in ${source} ended with ${String(status)}`);
  renameSync(`${target}.new`, target);
  say(`cluster: built ${name} in ${Math.round((Date.now() - started) / 1000)} s`);
}

function sourceHash(): string {
  const hash = createHash("sha256").update(JSON.stringify(packages));
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).sort();
  for (const name of files) {
    const path = join(source, name);
    if (statSync(path).isFile()) hash.update(name).update(readFileSync(path));
  }
  return hash.digest("hex").slice(0, 12);
}

/** A folder is the lock; its holder touches it, so that one that died does not hold it for ever. */
async function withLock(path: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      mkdirSync(path);
      break;
    } catch {
      const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      if (touched !== undefined && Date.now() - touched > 30_000) rmSync(path, { recursive: true, force: true });
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  const timer = setInterval(() => utimesSync(path, new Date(), new Date()), 5000);
  try {
    await work();
  } finally {
    clearInterval(timer);
    rmSync(path, { recursive: true, force: true });
  }
}
