/**
 * How long `bulwark scan image` takes, beside Trivy on the same images in the same run, with every limit that scans have;
 * of the advisory database those of `bench/advisory.ts` come first. The images are real: Debian by mmdebstrap, the npm
 * packages of this checkout, and a developer's Debian of more than a gigabyte with Maven's jars, Go and clang. They are
 * made once and kept in `~/.cache/bulwark-bench`.
 *
 *     FEEDS_DIR=… TRIVY=/path/to/trivy node scripts/node.mjs bench/scan.ts [IMAGE…]
 *
 * Bulwark looks for packages, credentials and misconfiguration and matches all advisories of `FEEDS_DIR`. Trivy looks for
 * packages and secrets; for vulnerabilities too where `TRIVY_CACHE_DIR` has its database. Neither uses the network, both
 * begin without anything kept. The clock of a machine that others use says little: the processor's time is printed beside.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { feedsDir } from "@bulwark/testkit";
import { run as advisoryRows } from "./advisory.ts";

const root = join(import.meta.dirname, "..");
const kept = join(homedir(), ".cache/bulwark-bench");
const trivy = process.env["TRIVY"];

/** Images by name: layers, lowest first, each a tar that a command writes to a file. */
const bookworm = debian("bookworm", []);
const images: Record<string, Tar[]> = {
  debian: [bookworm],
  "debian-npm": [bookworm, npmTree()],
  "1-gigabyte": [
    debian("bookworm", ["maven", "golang-go", "nodejs", "npm", "python3-pip", "git", "clang", "build-essential"]),
  ],
};

interface Tar {
  name: string;
  command(file: string): string[];
}

function debian(release: string, include: string[]): Tar {
  const packages = include.length > 0 ? [`--include=${include.join(",")}`] : [];
  return {
    name: include.length > 0 ? `${release}-large` : release,
    command: (file) => ["mmdebstrap", "--quiet", "--variant=minbase", ...packages, release, file],
  };
}

function npmTree(): Tar {
  return {
    name: "npm",
    command: (file) => [
      ...["tar", "-C", root, "--exclude=node-linux*", "--exclude=.cache", "--exclude=@bulwark"],
      ...["--transform=s,^node_modules,app/node_modules,", "-cf", file, "node_modules"],
    ],
  };
}

interface Cost {
  /** By the clock. */
  seconds: number;
  processor: number;
  megabytes: number;
}

/** Of the issue: parts of Trivy's time and memory, seconds for a second scan, MB for an image of a gigabyte. */
const limits = { time: 0.7, memory: 1, again: 0.3, large: 400 };
/** A second scan is over before the clock is exact: the least of so many counts. */
const repeats = 5;
const wanted = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "bulwark-bench-scan-"));
const table: string[] = [];
let missed = false;
try {
  for (const row of await advisoryRows()) check(row.what, row.value, row.limit, row.unit, row.kept);
  const database = join(scratch, "advisories.db");
  run(join(root, "bin/bulwark"), "db", "update", "--from", feedsDir(), "--db", database);
  console.log(trivy ? `trivy: ${whatTrivyDoes()}` : "TRIVY names no Trivy: Bulwark alone");
  console.log(`${"".padEnd(34)}      s  processor s     MB`);
  for (const [name, tars] of Object.entries(images)) {
    if (wanted.length === 0 || wanted.includes(name)) await measure(name, await imageOf(name, tars), database);
  }
  console.log(["", "| image | Bulwark | Trivy | Bulwark again |", "| - | - | - | - |", ...table].join("\n"));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = missed ? 1 : 0;

/** One image, by Bulwark twice and by Trivy. What one of them cannot do is told, and the next image is measured. */
async function measure(name: string, image: string, database: string): Promise<void> {
  const environment = { XDG_CACHE_HOME: join(scratch, "cache"), NODE_COMPILE_CACHE: join(scratch, "code") };
  const words = ["scan", "image", image, "--offline", "--db", database, "--format", "json"];
  const scan = async (): Promise<Cost> => cost([join(root, "bin/bulwark"), ...words], environment);
  try {
    // What Node compiled is kept from the first command on, for whoever scans for the first time as well.
    rmSync(join(scratch, "cache/bulwark/layers"), { recursive: true, force: true });
    const first = await scan();
    show(`${name}: bulwark, first`, first);
    const again = await leastOf(scan);
    show(`${name}: bulwark, again`, again);
    check(`the second scan of ${name}`, again.seconds, limits.again, "s");
    if (name === "1-gigabyte") check(`memory for ${name}`, first.megabytes, limits.large, "MB");
    const peer = trivy ? await cost(trivyCommand(image), {}) : undefined;
    table.push(`| ${name} | ${text(first)} | ${peer ? text(peer) : "not measured"} | ${text(again)} |`);
    if (!peer) return;
    show(`${name}: trivy, first`, peer);
    check(`time for ${name} by Trivy's`, first.seconds / peer.seconds, limits.time, "");
    check(`processor for ${name} by Trivy's`, first.processor / peer.processor, limits.time, "");
    check(`memory for ${name} by Trivy's`, first.megabytes / peer.megabytes, limits.memory, "");
  } catch (error) {
    missed = true;
    console.log(`  MISS ${name}: ${String(error)}`);
  }
}

async function leastOf(scan: () => Promise<Cost>): Promise<Cost> {
  const costs: Cost[] = [];
  for (let turn = 0; turn < repeats; turn++) costs.push(await scan());
  const least = (of: keyof Cost): number => Math.min(...costs.map((item) => item[of]));
  return { seconds: least("seconds"), processor: least("processor"), megabytes: least("megabytes") };
}

function text({ seconds, processor, megabytes }: Cost): string {
  return `${seconds.toFixed(2)} s, ${processor.toFixed(2)} s of the processor, ${megabytes.toFixed(0)} MB`;
}

function whatTrivyDoes(): string {
  return process.env["TRIVY_CACHE_DIR"]
    ? "packages, vulnerabilities, secrets"
    : "packages and secrets, no vulnerabilities";
}

function trivyCommand(image: string): string[] {
  const own = process.env["TRIVY_CACHE_DIR"];
  const cache = own ?? join(scratch, "trivy");
  // Its database stays, what it kept of images goes.
  rmSync(join(cache, "fanal"), { recursive: true, force: true });
  return [
    ...[trivy ?? "", "image", "--input", image, "--cache-dir", cache, "--quiet", "--offline-scan", "--skip-db-update"],
    ...["--timeout", "30m", "--skip-java-db-update", "--scanners", own ? "vuln,secret" : "secret", "--list-all-pkgs"],
    ...["--format", "json", "--output", join(scratch, "trivy.json")],
  ];
}

function show(what: string, { seconds, processor, megabytes }: Cost): void {
  console.log(
    `${what.padEnd(34)} ${seconds.toFixed(2).padStart(6)} ${processor.toFixed(2).padStart(12)} ${megabytes.toFixed(0).padStart(6)}`,
  );
}

function check(what: string, value: number, limit: number, unit: string, kept = value <= limit): void {
  missed ||= !kept;
  console.log(`${kept ? "  ok  " : "  MISS"} ${what}: ${value.toFixed(2)} ${unit}, limit ${limit}`);
}

/** What a command costs, with all that it starts. Exit code 3 is a scan in part: packages of which nobody can tell. */
async function cost(command: string[], environment: NodeJS.ProcessEnv): Promise<Cost> {
  const began = performance.now();
  const shell = spawn("bash", ["-c", '"$@" >/dev/null; code=$?; times; exit $code', "bash", ...command], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  let [text, megabytes] = ["", 0];
  shell.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const watch = setInterval(() => (megabytes = Math.max(megabytes, peakOf(shell.pid ?? 0))), 10);
  const code = await new Promise<number | null>((resolve) => shell.once("close", resolve));
  clearInterval(watch);
  if (code !== 0 && code !== 3) throw new Error(`${command.join(" ")}: exit code ${String(code)}`);
  const seconds = (performance.now() - began) / 1000;
  const times = [...(text.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  const processor = times.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
  return { seconds, processor, megabytes };
}

/** The most that the child of a process had in memory so far, in MB: the kernel's high-water mark. */
function peakOf(shell: number): number {
  try {
    const [child = ""] = readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8").split(" ");
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child}/status`, "utf8"))?.[1] ?? 0) * (1024 / 1e6);
  } catch {
    return 0;
  }
}

/** The path of an image in an OCI layout, made where it is not there yet. */
async function imageOf(name: string, tars: Tar[]): Promise<string> {
  const image = join(kept, "images", name);
  if (existsSync(image)) return image;
  const folder = `${image}.new`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const layers: { digest: string; size: number; unpacked: string }[] = [];
  for (const tar of tars) layers.push(await layerOf(tar, join(folder, "blobs/sha256")));
  const blob = (mediaType: string, value: object): object => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(folder, "blobs/sha256", hex), bytes);
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${hex}`, size: bytes.length };
  };
  const config = blob("config.v1+json", {
    ...{ architecture: "amd64", os: "linux", config: {} },
    rootfs: { type: "layers", diff_ids: layers.map(({ unpacked }) => unpacked) },
    history: tars.map((tar) => ({ created_by: `COPY ${tar.name}.tar / # buildkit` })),
  });
  const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
  const manifest = blob("manifest.v1+json", {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config,
    layers: layers.map(({ digest, size }) => ({ mediaType, digest, size })),
  });
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  renameSync(folder, image);
  return image;
}

async function layerOf(tar: Tar, blobs: string): Promise<{ digest: string; size: number; unpacked: string }> {
  mkdirSync(kept, { recursive: true });
  const file = join(kept, `${tar.name}.tar`);
  if (!existsSync(file)) {
    const [program = "", ...args] = tar.command(`${file}.new`);
    console.log(`making ${tar.name}`);
    run(program, ...args);
    renameSync(`${file}.new`, file);
  }
  const [unpacked, packed] = [meter(), meter()];
  const into = join(blobs, "new");
  await pipeline(
    createReadStream(file),
    unpacked.stream,
    createGzip({ level: 6 }),
    packed.stream,
    createWriteStream(into),
  );
  renameSync(into, join(blobs, packed.digest().slice(7)));
  return { digest: packed.digest(), size: packed.size(), unpacked: unpacked.digest() };
}

function meter(): { stream: Transform; digest(): string; size(): number } {
  const hash = createHash("sha256");
  let [size, digest] = [0, ""];
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
  });
  return { stream, digest: () => (digest ||= `sha256:${hash.digest("hex")}`), size: () => size };
}

function run(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1e8 });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}
