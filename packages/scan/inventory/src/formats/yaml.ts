import { createRequire } from "node:module";
import { withoutMark } from "./data.ts";

const require = createRequire(import.meta.url);

/** One document of YAML. Aliases may not multiply it. */
export function parseYaml(content: Buffer): unknown {
  // When it is needed: every thread of a scan would wait for it.
  const { parse } = require("yaml") as typeof import("yaml");
  return parse(withoutMark(content), { maxAliasCount: 100, logLevel: "error" });
}
