import type { Report } from "@bulwark/model";
import type { Problem } from "../problems.ts";

/** One form of output. A new one is a file beside this and an entry in the index, which loads it when it is asked for. */
export interface Format {
  /** As `--format` names it. */
  name: string;
  /** For the help, in a few words. */
  summary: string;
  load(): Promise<Write>;
}

/** The whole output. Whatever foreign text is in the report is data in it, never part of its form. */
type Write = (report: Report, options: WriteOptions) => string;

export interface WriteOptions {
  /** List the packages too, where the form leaves that open. */
  packages?: boolean | undefined;
  /** Colours and bold, for a terminal. */
  colour?: boolean | undefined;
  /** Problems that the report before did not know; undefined where none was named. */
  fresh?: ReadonlySet<Problem["item"]> | undefined;
}
