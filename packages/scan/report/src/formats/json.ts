import type { Format } from "./format.ts";
import { jsonText } from "./json-text.ts";

/** The report itself; its schema is `docs/report.schema.json`. */
export const json: Format = {
  name: "json",
  summary: "the whole report; docs/report.schema.json describes it",
  write: jsonText,
};
