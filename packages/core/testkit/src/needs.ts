import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const checks = {
  root: () => (process.getuid?.() === 0 ? null : "needs root"),
  bpf: () =>
    existsSync("/sys/kernel/btf/vmlinux") && (process.getuid?.() === 0 || false)
      ? null
      : "needs root and a kernel with BTF (/sys/kernel/btf/vmlinux)",
  clang: () => command("clang", "clang libbpf-dev"),
  containerd: () => command("containerd", "containerd"),
  runc: () => command("runc", "runc"),
  busybox: () => command("busybox", "busybox-static"),
  mmdebstrap: () => command("mmdebstrap", "mmdebstrap"),
  rpm: () => command("rpmbuild", "rpm") ?? command("db_load", "db-util"),
  chromium: () => command("chromium", "chromium"),
  postgresql: () => installedAt("/usr/lib/postgresql", "postgresql"),
  servers: () => command("nginx", "nginx") ?? command("sshd", "openssh-server") ?? command("ssh", "openssh-client"),
  nats: () => command("nats-server", "nats-server"),
  registry: () => command("docker-registry", "docker-registry"),
  openscap: () =>
    command("oscap", "openscap-scanner") ??
    installedAt("/usr/share/xml/scap/ssg/content/ssg-debian11-ds.xml", "ssg-debian"),
  openssl: () => command("openssl", "openssl"),
  skopeo: () => command("skopeo", "skopeo"),
  go: () => command("go", "golang, 1.26 or later"),
  cargo: () => command("cargo", "cargo"),
  python: () => command("python3", "python3 python3-requests"),
  interpreters: () =>
    command("socat", "socat") ??
    command("ruby", "ruby") ??
    command("php", "php-cli") ??
    command("lua5.4", "lua5.4 lua-socket") ??
    command("gawk", "gawk"),
  venv: () => command("python3", "python3-venv") ?? ensurepip(),
  jars: () => installedAt("/usr/share/maven-repo/com/google/guava", "libguava-java"),
  clamd: () => command("clamd", "clamav-daemon"),
  debian: () => command("dpkg-deb", "dpkg, and a Debian to build on"),
  cluster: () => clusterLack(),
  suites: () => folder(suitesDir(), "SUITES_DIR"),
  feeds: () => folder(feedsDir(), "FEEDS_DIR"),
} satisfies Record<string, () => string | null>;

export type Need = keyof typeof checks;

/**
 * The reason why a test cannot run on this machine, for `node:test`'s `skip`; false when it can:
 *
 *     test("kills it", { skip: missing("root", "containerd") }, async () => { … });
 *
 * With `BULWARK_REQUIRE=all` in the environment (CI) a lack is thrown, so that a skip is a failure.
 */
export function missing(...needs: Need[]): string | false {
  const reasons = needs.map((need) => checks[need]()).filter((reason) => reason !== null);
  if (reasons.length === 0) return false;
  if (process.env["BULWARK_REQUIRE"] === "all") throw new Error(`BULWARK_REQUIRE=all, but: ${reasons.join("; ")}`);
  return reasons.join("; ");
}

const repository = join(import.meta.dirname, "../../../..");

/** Public conformance data; beside the checkout unless `SUITES_DIR` says otherwise. Never copied into the project. */
export function suitesDir(): string {
  return process.env["SUITES_DIR"] ?? join(repository, "../shared/suites");
}

/** An offline mirror of the public advisory feeds; beside the checkout unless `FEEDS_DIR` says otherwise. */
export function feedsDir(): string {
  return process.env["FEEDS_DIR"] ?? join(repository, "../shared/feeds");
}

/** What a real Kubernetes of the tests takes (e2e/cluster). */
function clusterLack(): string | null {
  const lacks = [
    checks.root(),
    checks.go(),
    checks.containerd(),
    checks.runc(),
    checks.busybox(),
    command("etcd", "etcd-server"),
    command("docker-registry", "docker-registry"),
    checks.openssl(),
    command("skopeo", "skopeo"),
    command("nft", "nftables"),
    command("conntrack", "conntrack"),
    existsSync("/usr/lib/cni/ptp") ? null : "needs /usr/lib/cni (Debian: apt-get install containernetworking-plugins)",
  ].filter((lack) => lack !== null);
  return lacks.length === 0 ? null : lacks.join("; ");
}

function command(name: string, debianPackage: string): string | null {
  const path = `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`;
  const found = path.split(delimiter).some((folder) => executable(join(folder, name)));
  return found ? null : `needs ${name} (Debian: apt-get install ${debianPackage})`;
}

function installedAt(path: string, debianPackage: string): string | null {
  return existsSync(path) ? null : `needs ${path} (Debian: apt-get install ${debianPackage})`;
}

/** Debian leaves out of its Python what makes virtual environments. */
function ensurepip(): string | null {
  const { status } = spawnSync("python3", ["-c", "import ensurepip, venv"]);
  return status === 0 ? null : "needs ensurepip (Debian: apt-get install python3-venv)";
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function folder(path: string, variable: string): string | null {
  return existsSync(path) ? null : `needs ${path} (or another place in ${variable})`;
}
