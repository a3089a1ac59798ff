// Sets up what is missing on a fresh machine, and says what it installs before it installs it. Plain JavaScript for the
// Node that happens to be there; nothing of ours is imported that needs Node 24. Each step is passed over when its
// result is newer than what it is made from, so that a warm run costs milliseconds.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newNode, root } from "./lib/new-node.mjs";

/** Debian packages that building the sensor takes. */
const sensorPackages = ["clang", "libbpf-dev", "libc6-dev", "make"];

/**
 * Runs the steps. A step that cannot be done (no root, no network) is said and passed over: Bulwark starts without it
 * and its health page repeats the reason. Only the npm packages are a must. Returns false without them.
 */
export function setup() {
  const npmReady = installNpmPackages();
  if (!npmReady || newNode() === undefined) return false;
  buildSensor();
  buildConsole();
  return true;
}

function installNpmPackages() {
  const stamp = join(root, "node_modules/.bulwark-lock");
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return true;
  say("installing npm packages from package-lock.json, Node 24 among them (about 500 MB in node_modules)");
  // Not `npm ci`: the lock file cannot name builds for platforms that a registry mirror does not carry, and `ci` insists.
  if (!run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"])) {
    say("npm packages could not be installed. Mend the connection to the npm registry and run this again.");
    return false;
  }
  writeFileSync(stamp, lock);
  return true;
}

function buildSensor() {
  const folder = join(root, "packages/watch/sensor");
  const binary = join(folder, "build/bulwark-sensor");
  if (process.platform !== "linux" || !older(binary, [join(folder, "c"), join(folder, "Makefile")])) return;
  if (!has("clang") || !has("make") || !existsSync("/usr/include/bpf/libbpf.h")) {
    if (!installDebianPackages()) return;
  }
  say("building the sensor");
  if (!run("make", ["-C", folder, "--no-print-directory", "-s"])) say("the sensor could not be built: it stays off");
}

function installDebianPackages() {
  const command = `apt-get install --no-install-recommends ${sensorPackages.join(" ")}`;
  if (process.getuid() !== 0 || !has("apt-get")) {
    say(`the sensor stays off: building it needs ${sensorPackages.join(", ")}. As root on Debian: ${command}`);
    return false;
  }
  say(`installing Debian packages that the sensor is built with: ${sensorPackages.join(" ")}`);
  const quiet = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = () => run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...sensorPackages], quiet);
  if (install() || (run("apt-get", ["update", "-qq"], quiet) && install())) return true;
  say(`the sensor stays off: its packages could not be installed. When there is a network: ${command}`);
  return false;
}

function buildConsole() {
  const folder = join(root, "apps/console");
  const sources = ["src", "index.html", "vite.config.ts", "package.json"].map((name) => join(folder, name));
  sources.push(join(root, "packages/core/contract/src"), join(root, "packages/core/model/src"));
  if (!older(join(folder, "dist/index.html"), sources)) return;
  say("building the console");
  const vite = join(root, "node_modules/vite/bin/vite.js");
  if (
    !run(newNode(), ["--disable-warning=ExperimentalWarning", vite, "build", "--logLevel", "warn"], process.env, folder)
  ) {
    say("the console could not be built: the API works, the pages do not");
  }
}

/** True when `target` is missing or older than any file in `sources`. */
function older(target, sources) {
  if (!existsSync(target)) return true;
  const made = statSync(target).mtimeMs;
  return sources.some((path) => newest(path) > made);
}

function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function has(command) {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, command)));
}

/** Output of a step goes to standard error; standard output belongs to what is started afterwards. */
function run(command, args, env = process.env, cwd = root) {
  return spawnSync(command, args, { cwd, env, stdio: ["ignore", 2, 2] }).status === 0;
}

function say(text) {
  console.error(`setup: ${text}`);
}

if (process.argv[1] === import.meta.filename) process.exit(setup() ? 0 : 2);
