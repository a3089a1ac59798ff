import { readFileSync } from "node:fs";
import { errorText } from "@bulwark/model/plain";
import { UsageError } from "./options.ts";

/** Raises `UsageError`. */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError("usage", errorText(error), { remedy: "name a file that can be read" });
  }
}
