import { readFile } from "node:fs/promises";
import { z } from "zod";
import { osvRecord } from "../osv.ts";
import type { Feed } from "./feed.ts";
import { writeOsv } from "./osv.ts";

const path = "kubernetes/components.json";
const list = z.array(osvRecord).min(1);

/**
 * Weaknesses of Kubernetes' own components, as one list of OSV records. Mirrors have it; its official form is the
 * ecosystem Kubernetes of OSV.
 */
export const kubernetes: Feed = {
  files: [],
  has: (candidate) => candidate === path,
  nameOf: () => "kubernetes-components",
  address: () => "",
  async load(file, _path, writer) {
    const records = list.parse(JSON.parse(await readFile(file, "utf8")));
    for (const record of records) if (!record.withdrawn) writeOsv(record, writer);
    return records.length;
  },
};
