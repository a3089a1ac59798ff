import type { InstalledPackage, OperatingSystem, PackageType } from "@bulwark/model";

/** How advisories speak of the packages of a distribution. */
interface Distribution {
  type: PackageType;
  /** Are their advisories keyed by source packages, or by what is installed? */
  keyedBy: "source" | "binary";
  /**
   * Names of the ecosystems that a release has, in tiers: what a higher tier says of a weakness is all that counts.
   * `known` are those that the database has.
   */
  tiers(release: string, version: string, known: ReadonlySet<string>): string[][];
}

/** The tiers of ecosystems that hold for a distribution's package, or undefined where none is known of the release. */
export function tiersOf(
  item: InstalledPackage,
  os: OperatingSystem,
  known: ReadonlySet<string>,
): { tiers: string[][]; keyedBy: "source" | "binary" } | undefined {
  const distribution = distributions[os.id];
  if (distribution?.type !== item.type) return undefined;
  const tiers = distribution
    .tiers(os.version, item.version, known)
    .map((names) => names.filter((name) => known.has(name)))
    .filter((names) => names.length > 0);
  return tiers.length === 0 ? undefined : { tiers, keyedBy: distribution.keyedBy };
}

const major = (release: string): string => release.split(".")[0] ?? "";

/** One ecosystem whose name follows from the release. */
function named(
  type: PackageType,
  keyedBy: "source" | "binary",
  nameOf: (release: string) => string | string[],
): Distribution {
  return { type, keyedBy, tiers: (release) => [[nameOf(release)].flat()] };
}

const ubuntu: Distribution = {
  type: "deb",
  keyedBy: "source",
  tiers(release, version) {
    const plain = [`Ubuntu:${release}:LTS`, `Ubuntu:${release}`];
    // Builds of Ubuntu Pro carry `esm`; for them Pro's own list decides.
    const pro = [`Ubuntu:Pro:${release}:LTS`, `Ubuntu:Pro:${release}`];
    return version.includes("esm") ? [pro, plain] : [plain];
  },
};

const redHat: Distribution = {
  type: "rpm",
  keyedBy: "binary",
  tiers(release, version, known) {
    // `4.18.0-372.9.1.el8_6` is a build for 8.6; the streams of extended support for that release decide about it first.
    const minor = /\.el(\d+)_(\d+)/.exec(version);
    const extended = minor
      ? [...known].filter((name) => name.startsWith("Red Hat:rhel_") && name.includes(`:${minor[1]}.${minor[2]}::`))
      : [];
    const plain = [...known].filter((name) => name.startsWith(`Red Hat:enterprise_linux:${major(release)}::`));
    return [extended, [...plain, `Red Hat:enterprise_linux:${major(release)}`]];
  },
};

/** Release `15.5` is `15 SP5`; advisories name products and modules, all of that service pack. */
const suse: Distribution = {
  type: "rpm",
  keyedBy: "source",
  tiers(release, _version, known) {
    const [number = "", pack] = release.split(".");
    const suffix = pack === undefined || pack === "0" ? ` ${number}` : ` ${number} SP${pack}`;
    return [[...known].filter((name) => name.startsWith("SUSE:") && name.replace(/-\w+$/, "").endsWith(suffix))];
  },
};

/** By `ID` of os-release. */
const distributions: Readonly<Record<string, Distribution>> = {
  debian: named("deb", "source", (release) => `Debian:${release}`),
  // Debian's own packages, built once more.
  raspbian: named("deb", "source", (release) => `Debian:${release}`),
  ubuntu,
  echo: named("deb", "source", () => "Echo"),
  alpine: named("apk", "source", (release) => `Alpine:${release === "edge" ? "edge" : `v${release}`}`),
  wolfi: named("apk", "source", () => "Wolfi"),
  chainguard: named("apk", "source", () => ["Chainguard", "Wolfi"]),
  minimos: named("apk", "source", () => "MinimOS"),
  almalinux: named("rpm", "binary", (release) => `AlmaLinux:${major(release)}`),
  rocky: named("rpm", "source", (release) => `Rocky Linux:${major(release)}`),
  rhel: redHat,
  centos: redHat,
  sles: suse,
  sled: suse,
  "opensuse-leap": named("rpm", "source", (release) => `openSUSE:Leap ${release}`),
  "opensuse-tumbleweed": named("rpm", "source", () => "openSUSE:Tumbleweed"),
  openEuler: named("rpm", "source", (release) => [`openEuler:${release}`, `openEuler:${release}-LTS`]),
  mageia: named("rpm", "source", (release) => `Mageia:${release}`),
  // CBL-Mariner is what Azure Linux was called before 3.
  mariner: named("rpm", "source", (release) => `Azure Linux:${major(release)}`),
  azurelinux: named("rpm", "source", (release) => `Azure Linux:${major(release)}`),
  photon: named("rpm", "source", (release) => `Photon OS:${release}`),
};
