import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Feed } from "./feed.ts";

const path = "cisa/known_exploited_vulnerabilities.json";
const catalogue = z.object({ vulnerabilities: z.array(z.object({ cveID: z.string(), dateAdded: z.string() })).min(1) });

/** CISA's catalogue of weaknesses that are known to be exploited. https://www.cisa.gov/known-exploited-vulnerabilities-catalog */
export const kev: Feed = {
  files: [path],
  has: (candidate) => candidate === path,
  nameOf: () => "cisa-kev",
  address: () => "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
  async load(file, _path, writer) {
    const { vulnerabilities } = catalogue.parse(JSON.parse(await readFile(file, "utf8")));
    for (const { cveID, dateAdded } of vulnerabilities) writer.exploited(cveID, dateAdded);
    return vulnerabilities.length;
  },
};
