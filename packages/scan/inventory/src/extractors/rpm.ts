import { megabyte, type Extractor, type Found, type FoundPackage, type Owned } from "../extractor.ts";
import { berkeleyValues } from "../formats/berkeley.ts";
import { FormatError } from "../formats/bytes.ts";
import { ndbBlobs } from "../formats/ndb.ts";
import { readRpmHeader, type RpmHeader } from "../formats/rpm-header.ts";
import { sqliteTable } from "../formats/sqlite.ts";
import { lines } from "../formats/stanza.ts";

const databaseFile =
  /^\/(?:var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm\/(?:Packages|Packages\.db|rpmdb\.sqlite|rpmdb\.sqlite-wal)$/;

/** rpm's database in its three formats: SQLite (Fedora, RHEL 9), ndb (SUSE), Berkeley DB (RHEL 8 and before). */
export const rpm: Extractor = {
  name: "rpm",
  kind: "installed",
  limit: 512 * megabyte,
  files: { names: ["Packages", "Packages.db", "rpmdb.sqlite", "rpmdb.sqlite-wal"], path: databaseFile },
  extract(content, path): Found {
    const packages: FoundPackage[] = [];
    const errors: string[] = [];
    const owned: Owned[] = [];
    if (path.endsWith("-wal")) {
      return content.length <= 32
        ? { packages, errors }
        : {
            packages,
            errors: ["changes that rpm has not yet moved into rpmdb.sqlite: the newest packages may be missing"],
          };
    }
    try {
      for (const blob of blobs(content, path)) {
        const header = headerOf(blob);
        const found = typeof header === "string" ? header : toPackage(header);
        if (typeof found === "string") errors.push(found);
        // Keys that rpm trusts are in the database as packages, and are none.
        else if (typeof header !== "string" && found.name !== "gpg-pubkey") {
          packages.push(found);
          owned.push({ type: "rpm", name: found.name, paths: header.files });
        }
      }
    } catch (error) {
      if (!(error instanceof FormatError) || packages.length === 0) throw error;
      errors.push(`after ${packages.length} packages: ${error.message}`);
    }
    return { packages, errors, owned };
  },
};

/** One broken package does not take the others with it. */
function headerOf(blob: Buffer): RpmHeader | string {
  try {
    return readRpmHeader(blob);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

function* blobs(content: Buffer, path: string): Generator<Buffer> {
  if (path.endsWith("/Packages.db")) yield* ndbBlobs(content);
  else if (path.endsWith("/Packages")) {
    // Beside the packages there is the number of the last one, four bytes long.
    for (const value of berkeleyValues(content)) if (value.length > 4) yield value;
  } else {
    const rows = sqliteTable(content, "Packages");
    if (!rows) throw new FormatError("a SQLite database without the table Packages");
    for (const { values } of rows) if (values[1] instanceof Buffer) yield values[1];
  }
}

function toPackage(header: RpmHeader): FoundPackage | string {
  const { name, version, release, epoch, vendor, licence, moduleLabel } = header;
  if (!name || !version) return `a package without a ${name ? `version: ${name.slice(0, 100)}` : "name"}`;
  const sourceRpm = header.sourceRpm === "(none)" ? undefined : header.sourceRpm;
  return {
    type: "rpm",
    name,
    version: evr(epoch, version, release),
    architecture: header.architecture ?? "",
    source: sourceOf(sourceRpm, epoch),
    upstream: sourceRpm,
    // Name and stream; version and context of the module are of no advisory.
    module: moduleLabel?.split(":", 2).join(":"),
    vendor: vendor === "(none)" ? undefined : vendor,
    licences: licence ? [licence] : [],
  };
}

function evr(epoch: number | undefined, version: string, release: string | undefined): string {
  return `${epoch ? `${epoch}:` : ""}${version}${release ? `-${release}` : ""}`;
}

/** `glibc-2.34-60.el9.src.rpm`. The file's name has no epoch: the package's own is the source's, but for rare sub-packages. */
function sourceOf(sourceRpm: string | undefined, epoch: number | undefined): FoundPackage["source"] {
  const match = /^(.+)-([^-]+)-([^-]+?)(?:\.(?:no)?src)?(?:\.rpm)?$/.exec(sourceRpm ?? "");
  return match ? { name: match[1] ?? "", version: evr(epoch, match[2] ?? "", match[3]) } : undefined;
}

/**
 * The list that images of Azure Linux without rpm keep of their packages: the answer of
 * `rpm -qa --qf "%{NAME}\t%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\t%{BUILDTIME}\t%{VENDOR}\t%{EPOCH}\t%{SIZE}\t%{ARCH}\t%{EPOCHNUM}\t%{SOURCERPM}\n"`.
 */
export const rpmManifest: Extractor = {
  name: "rpm-manifest",
  kind: "installed",
  limit: 16 * megabyte,
  files: { names: ["container-manifest-2"], path: /^\/var\/lib\/rpmmanifest\// },
  extract(content): Found {
    const packages: FoundPackage[] = [];
    const errors: string[] = [];
    for (const line of lines(content.toString("utf8"))) {
      const [name, versionRelease, , , vendor, , , architecture, epochText, sourceRpm] = line.split("\t");
      const [version, release] = (versionRelease ?? "").split("-", 2);
      if (name === undefined || name === "gpg-pubkey") continue;
      const epoch = Number(epochText) || undefined;
      const found = toPackage({
        name,
        version,
        release,
        epoch,
        architecture,
        vendor,
        sourceRpm,
        licence: undefined,
        moduleLabel: undefined,
        files: [],
      });
      if (typeof found === "string") errors.push(found);
      else packages.push(found);
    }
    return { packages, errors };
  },
};
