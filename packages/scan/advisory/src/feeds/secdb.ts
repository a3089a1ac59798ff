import { readFile } from "node:fs/promises";
import { z } from "zod";
import { isCve, plainEntry, type Feed } from "./feed.ts";

const alpineReleases = [...Array.from({ length: 21 }, (_, index) => `v3.${index + 3}`), "edge"];
/** Packages of a release before 3.3 are in no list; community began with 3.3. */
const alpineFiles = alpineReleases.flatMap((release) =>
  ["main", "community"].map((name) => `alpine/${release}/${name}.json`),
);
const rolling: Record<string, { ecosystem: string; address: string }> = {
  "wolfi/security.json": { ecosystem: "Wolfi", address: "https://packages.wolfi.dev/os/security.json" },
  "chainguard/security.json": {
    ecosystem: "Chainguard",
    address: "https://packages.cgr.dev/chainguard/security.json",
  },
};

const secdb = z.object({
  /** Absent with distributions that have no releases. */
  distroversion: z.string().nullish(),
  /** Null where a release has none. */
  packages: z
    .array(
      z.object({
        pkg: z.object({ name: z.string(), secfixes: z.record(z.string(), z.array(z.string()).nullish()).nullish() }),
      }),
    )
    .nullish(),
});

/**
 * The lists of Alpine, Wolfi and Chainguard: for each package the version that fixed each weakness. Version `0` says that
 * the package never had it. What is not fixed yet is not in it. https://secdb.alpinelinux.org
 */
export const secdbFeed: Feed = {
  files: [...alpineFiles, ...Object.keys(rolling)],
  has: (path) => path in rolling || /^alpine\/(v[\d.]+|edge)\/(main|community)\.json$/.test(path),
  nameOf: (path) => path.replace(/\/security\.json$/, "").replace(/^alpine\/(.*)\.json$/, "alpine:$1"),
  address: (path) => rolling[path]?.address ?? `https://secdb.alpinelinux.org/${path.slice("alpine/".length)}`,
  async load(file, path, writer) {
    const { distroversion, packages } = secdb.parse(JSON.parse(await readFile(file, "utf8")));
    const ecosystem = rolling[path]?.ecosystem ?? `Alpine:${distroversion ?? path.split("/")[1] ?? ""}`;
    let records = 0;
    for (const { pkg } of packages ?? []) {
      for (const [version, names] of Object.entries(pkg.secfixes ?? {})) {
        // A name may carry its aliases behind a blank: `CVE-2018-12020 CVE-2018-9234`.
        for (const id of (names ?? []).flatMap((name) => name.split(/[\s,]+/)).filter((name) => name !== "")) {
          writer.advisory({
            id,
            weaknesses: [[id]],
            summary: "",
            published: null,
            vector: null,
            links: isCve(id) ? [`https://security.alpinelinux.org/vuln/${id}`] : [],
            affected: [
              {
                ...plainEntry,
                ecosystem,
                package: pkg.name,
                ranges: version === "0" ? [] : [{ from: null, to: version, closed: false }],
                status: version === "0" ? "not-affected" : "affected",
              },
            ],
          });
          records++;
        }
      }
    }
    return records;
  },
};
