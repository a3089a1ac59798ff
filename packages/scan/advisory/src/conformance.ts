/** The OSV feeds of a mirror, held against the schema of the format and against what is made of them. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "@bulwark/model/plain";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { osv } from "./feeds/osv.ts";
import { zipEntries } from "./feeds/zip.ts";

export interface OsvFeedResult {
  feed: string;
  records: number;
  valid: number;
  /** Records that the schema refuses, by what it says of them: faults of the feed, which are loaded all the same. */
  refused: Record<string, Refused>;
  withdrawn: number;
  /** Records that are in the database afterwards: all but those that are withdrawn. */
  loaded: number;
}

export interface Refused {
  count: number;
  /** The first of them, and what is wrong in it. */
  record: string;
  value: string;
}

/** Every record of every `osv/<ecosystem>/all.zip` below `feeds`: held against the schema, and loaded. */
export async function osvConformance(
  schemaFile: string,
  feeds: string,
): Promise<{ feeds: OsvFeedResult[]; failures: string[] }> {
  const isValid = validatorOf(schemaFile);
  const results: OsvFeedResult[] = [];
  const failures: string[] = [];
  for (const path of globSync("osv/*/all.zip", { cwd: feeds }).toSorted()) {
    const result: OsvFeedResult = {
      feed: osv.nameOf(path),
      records: 0,
      valid: 0,
      refused: {},
      withdrawn: 0,
      loaded: 0,
    };
    try {
      for await (const { text } of zipEntries(join(feeds, path), ".json")) {
        const record = JSON.parse(text) as { id: string; withdrawn?: string };
        result.records++;
        if (record.withdrawn !== undefined) result.withdrawn++;
        if (isValid(record)) result.valid++;
        else {
          const { reason, value } = faultOf(record, isValid.errors ?? []);
          (result.refused[reason] ??= { count: 0, record: record.id, value }).count++;
        }
      }
      const writer = { advisory: () => void result.loaded++, exploited() {}, epss() {} };
      await osv.load(join(feeds, path), path, writer);
      if (result.loaded + result.withdrawn !== result.records) failures.push(`${path}: ${result.loaded} loaded`);
    } catch (error) {
      failures.push(`${path}: ${errorText(error)}`);
    }
    results.push(result);
  }
  return { feeds: results, failures };
}

/** What lies deepest says most: around it, every alternative that the schema has is refused, too. */
function faultOf(
  record: object,
  errors: readonly { instancePath: string; keyword: string }[],
): { reason: string; value: string } {
  const [first] = errors.toSorted((a, b) => b.instancePath.split("/").length - a.instancePath.split("/").length);
  if (!first) return { reason: "", value: "" };
  const path = first.instancePath.split("/").slice(1);
  const value = path.reduce<unknown>((parent, key) => (parent as Readonly<Record<string, unknown>>)[key], record);
  // `/affected/2/ranges/0/events/1` is the same fault as that of another index.
  return { reason: `${first.instancePath.replaceAll(/\/\d+/g, "/…")} ${first.keyword}`, value: JSON.stringify(value) };
}

function validatorOf(schemaFile: string): ReturnType<Ajv2020["compile"]> {
  const ajv = new Ajv2020({ strict: false });
  formats.default(ajv);
  return ajv.compile(JSON.parse(readFileSync(schemaFile, "utf8")) as object);
}
