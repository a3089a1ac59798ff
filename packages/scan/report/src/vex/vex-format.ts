import type { Report } from "@bulwark/model";
import type { Statement } from "./statement.ts";

/** One form in which VEX is written down. A new one is a file beside this, a line in the index, and one in that of formats. */
export interface VexFormat {
  /** Is a document, as JSON has it, one of this form? */
  is(document: Readonly<Record<string, unknown>>): boolean;
  /** Raises where it is not what it says that it is. */
  read(document: Readonly<Record<string, unknown>>): Statement[];
  /** What the report knows of its vulnerabilities: what was decided, and what is not decided yet. */
  write(report: Report): string;
}
