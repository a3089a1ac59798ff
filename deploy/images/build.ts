/**
 * `npm run images [-- NAME… --out FOLDER --tag TAG]`: the images of server and agent as OCI archives, built from Debian's
 * packages, Node and this checkout; without a container runtime, without pulling an image. The same inputs give the same
 * digest.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { copyApplication, copyNode } from "./application.ts";
import { unpackPackages, writeUsers } from "./debian.ts";
import { images, places, type Image } from "./images.ts";
import { makeLayer, megabytes, writeArchive } from "./oci.ts";
import { run } from "./run.ts";

export const checkout = join(import.meta.dirname, "../..");
export const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "bulwark-images");

/** The beginning of 2026, in seconds. */
const beginning = Date.UTC(2026, 0, 1) / 1000;

export interface Built {
  readonly name: Image["name"];
  readonly reference: string;
  readonly archive: string;
  readonly digest: string;
}

/** Builds one image into a folder. */
export function buildImage(name: Image["name"], folder: string, tag = version(), repository = "bulwark"): Built {
  const image = images.find((it) => it.name === name);
  if (!image) throw new Error(`no image ${name}; there are ${images.map((it) => it.name).join(", ")}`);
  const reference = `${repository}/${image.name}:${tag}`;
  const epoch = epochOf();
  const work = mkdtempSync(join(tmpdir(), "bulwark-image-"));
  try {
    const fill: readonly [name: string, createdBy: string, fill: (root: string) => void][] = [
      [
        "system",
        `unpack Debian packages: ${image.packages.join(" ")}`,
        (root) => {
          unpackPackages(image.packages, root, join(cache, "packages"));
          writeUsers(root, image.user);
        },
      ],
      ["node", "copy Node", (root) => copyNode(checkout, root)],
      ["application", "copy Bulwark", (root) => copyApplication(image, checkout, root)],
    ];
    const layers = fill.map(([layer, createdBy, copy]) => {
      const root = join(work, layer);
      mkdirSync(root);
      copy(root);
      normalizeModes(root);
      if (layer === "system") makeDataFolder(root, image.user);
      // Node and Debian's packages stay the same layers from one version of Bulwark to the next.
      makeLayer(root, `${root}.tar`, layer === "application" ? epoch : beginning);
      return { createdBy, tar: `${root}.tar` };
    });
    mkdirSync(folder, { recursive: true });
    const archive = join(folder, `bulwark-${image.name}.tar`);
    const config = {
      ...{ reference, user: image.user, command: image.command, ports: image.ports, epoch },
      entrypoint: [`/${places.command}`],
      // NODE_OPTIONS as in bin/bulwark: what runs for long lets garbage go sooner.
      env: {
        ...{ PATH: "/usr/bin", NODE_ENV: "production", HOME: `/${places.data}` },
        NODE_OPTIONS: "--max-semi-space-size=8",
      },
      labels: {
        "org.opencontainers.image.title": image.title,
        "org.opencontainers.image.version": tag,
        "org.opencontainers.image.licenses": "Apache-2.0",
      },
    };
    const digest = writeArchive(layers, config, {
      folder: join(work, "layout"),
      archive: `${archive}.new`,
      cache: join(cache, "layers"),
    });
    renameSync(`${archive}.new`, archive);
    writeFileSync(join(folder, `bulwark-${image.name}.digest`), `${digest}\n`);
    return { name, reference, archive, digest };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The umask of whoever builds must not be seen: files may be read by all, written by their owner. */
function normalizeModes(folder: string): void {
  run("chmod", ["-R", "u=rwX,go=rX", folder]);
}

/** The folder of its data belongs to who runs it: a volume that is mounted there takes that over. */
function makeDataFolder(root: string, user: number): void {
  mkdirSync(join(root, places.data), { recursive: true });
  chmodSync(join(root, places.data), user === 0 ? 0o700 : 0o1777);
}

function version(): string {
  return (JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { version: string }).version;
}

/** Seconds since 1970: the time of what is our own in an image. */
export function epochOf(): number {
  return Number(process.env["SOURCE_DATE_EPOCH"] ?? lastCommit());
}

/** When the checkout was last changed, where there is a history. */
function lastCommit(): string {
  try {
    return run("git", ["-C", checkout, "log", "-1", "--format=%ct"]).trim();
  } catch {
    return String(beginning);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: "string" }, tag: { type: "string" }, repository: { type: "string" } },
  });
  const names = positionals.length > 0 ? positionals : images.map(({ name }) => name);
  for (const name of names) {
    console.log(`image ${name}: building`);
    const folder = values.out ?? join(checkout, "deploy/images/out");
    const built = buildImage(name as Image["name"], folder, values.tag, values.repository);
    console.log(
      `image ${name}: ${built.reference}, ${megabytes(built.archive)} MB\n  ${built.archive}\n  ${built.digest}`,
    );
  }
}
