import { readFileSync, statSync } from "node:fs";
import { readSbom } from "@bulwark/inventory/sbom";
import { UsageError } from "../local/options.ts";
import type { Found } from "./input.ts";

const sizeLimit = 256 * 1024 * 1024;

/** What a bill of materials lists. Raises `UsageError` and `SbomError`. */
export function lookIntoSbom(path: string): Found {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new UsageError("usage", `${path} is no file`, { remedy: "name a file that is there" });
  if (found.size > sizeLimit)
    throw new UsageError("usage", `${path}: ${found.size} bytes are above the limit of ${sizeLimit}`, {
      remedy: "name a smaller bill of materials",
    });
  const { name, digest, inventory } = readSbom(readFileSync(path));
  const target = { kind: "sbom", name: name === "" ? path : name, digest, platform: null } as const;
  return { target, inventory, secrets: undefined, malware: undefined, checks: undefined, parts: [] };
}
