import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { isCve, type Feed } from "./feed.ts";

const path = "epss/epss_scores-current.csv.gz";

/** No real line comes near. */
const lineLimit = 1024;

/**
 * FIRST's Exploit Prediction Scoring System: for each CVE the probability that it is exploited within 30 days.
 * https://www.first.org/epss/data_stats: `cve,epss,percentile` behind a comment that names the model.
 */
export const epss: Feed = {
  files: [path],
  has: (candidate) => candidate === path,
  nameOf: () => "epss",
  address: () => "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
  async load(file, _path, writer) {
    const source = createReadStream(file);
    const unpacked = source.pipe(createGunzip({ chunkSize: 1024 * 1024 }));
    source.on("error", (error) => unpacked.destroy(error));
    let records = 0;
    for await (const line of createInterface({ input: unpacked, crlfDelay: Infinity })) {
      const [cve = "", probability = ""] = line.slice(0, lineLimit).split(",");
      if (line.startsWith("#") || cve === "cve" || line === "") continue;
      const value = Number(probability);
      if (!isCve(cve) || probability === "" || !(value >= 0 && value <= 1)) {
        throw new Error(`${path}: no score: ${line.slice(0, 80)}`);
      }
      writer.epss(cve, value);
      records++;
    }
    if (records === 0) throw new Error(`${path} has no score`);
    return records;
  },
};
