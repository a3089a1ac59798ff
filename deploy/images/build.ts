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
import { copyApplication } from "./application.ts";
import { unpackPackages, writeUsers } from "./debian.ts";
import { images, places, type Image } from "./images.ts";
import { makeLayer, megabytes, writeArchive } from "./oci.ts";
import { run } from "./run.ts";

const checkout = join(import.meta.dirname, "../..");

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
  const epoch = Number(process.env["SOURCE_DATE_EPOCH"] ?? lastCommit());
  const work = mkdtempSync(join(tmpdir(), "bulwark-image-"));
  try {
    const system = join(work, "system");
    const application = join(work, "application");
    unpackPackages(image.packages, system, join(homedir(), ".cache/bulwark-images"));
    writeUsers(system, image.user);
    copyApplication(image, checkout, application);
    normalizeModes(system);
    normalizeModes(application);
    // The folder of its data belongs to who runs it: a volume that is mounted there takes that over.
    mkdirSync(join(system, places.data), { recursive: true });
    chmodSync(join(system, places.data), image.user === 0 ? 0o700 : 0o1777);
    const layers = [
      { createdBy: `unpack Debian packages: ${image.packages.join(" ")}`, tar: join(work, "system.tar") },
      { createdBy: "copy Node and Bulwark", tar: join(work, "application.tar") },
    ];
    makeLayer(system, layers[0]?.tar ?? "", epoch);
    makeLayer(application, layers[1]?.tar ?? "", epoch);
    mkdirSync(folder, { recursive: true });
    const archive = join(folder, `bulwark-${image.name}.tar`);
    const config = {
      ...{ reference, user: image.user, command: image.command, ports: image.ports, epoch },
      entrypoint: [`/${places.command}`],
      env: { PATH: "/usr/bin", NODE_ENV: "production", HOME: `/${places.data}` },
      labels: {
        "org.opencontainers.image.title": image.title,
        "org.opencontainers.image.version": tag,
        "org.opencontainers.image.licenses": "Apache-2.0",
      },
    };
    const digest = writeArchive(layers, config, join(work, "layout"), `${archive}.new`);
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

function version(): string {
  return (JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { version: string }).version;
}

/** When the checkout was last changed; without a history, the beginning of 2026. */
function lastCommit(): string {
  try {
    return run("git", ["-C", checkout, "log", "-1", "--format=%ct"]).trim();
  } catch {
    return String(Date.UTC(2026, 0, 1) / 1000);
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
