import { readFile } from "node:fs/promises";
import { z } from "zod";
import { isCve, type Feed } from "./feed.ts";

const releases = [
  "3.10",
  "3.11",
  "3.12",
  "3.13",
  "3.14",
  "3.15",
  "3.16",
  "3.17",
  "3.18",
  "3.19",
  "3.20",
  "3.21",
  "3.22",
  "3.23",
];

const secdb = z.object({
  distroversion: z.string(),
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
 * Alpine's own list: for each package the version that fixed each weakness. Version `0` says that the package never had
 * it. What is not fixed yet is not in it. https://secdb.alpinelinux.org
 */
export const alpine: Feed = {
  files: releases.flatMap((release) => ["main", "community"].map((name) => `alpine/v${release}/${name}.json`)),
  has: (path) => /^alpine\/(v[\d.]+|edge)\/(main|community)\.json$/.test(path),
  nameOf: (path) => `alpine:${path.slice("alpine/".length, -".json".length)}`,
  address: (path) => `https://secdb.alpinelinux.org/${path.slice("alpine/".length)}`,
  async load(file, _path, writer) {
    const { distroversion, packages } = secdb.parse(JSON.parse(await readFile(file, "utf8")));
    let records = 0;
    for (const { pkg } of packages ?? []) {
      for (const [version, names] of Object.entries(pkg.secfixes ?? {})) {
        // A name may carry its aliases behind a blank: `CVE-2018-12020 CVE-2018-9234`.
        for (const id of (names ?? []).flatMap((name) => name.split(/[\s,]+/)).filter((name) => name !== "")) {
          writer.advisory({
            id,
            cves: isCve(id) ? [id] : [],
            aliases: [],
            summary: "",
            published: null,
            vector: null,
            urgency: null,
            links: isCve(id) ? [`https://security.alpinelinux.org/vuln/${id}`] : [],
            affected: [
              {
                ecosystem: `Alpine:${distroversion}`,
                package: pkg.name,
                ranges: version === "0" ? [] : [{ from: "0", to: version, closed: false }],
                versions: [],
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
