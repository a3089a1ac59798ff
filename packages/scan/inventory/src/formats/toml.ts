import { createRequire } from "node:module";
import { withoutMark } from "./data.ts";

const require = createRequire(import.meta.url);

export function parseToml(content: Buffer): Record<string, unknown> {
  // When it is needed: every thread of a scan would wait for it.
  const { parse } = require("smol-toml") as typeof import("smol-toml");
  return parse(withoutMark(content));
}
