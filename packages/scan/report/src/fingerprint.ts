import { createHash } from "node:crypto";

/** By it, a weakness is known again tomorrow. */
export function fingerprint(...parts: string[]): string {
  return createHash("sha256").update(parts.join("\u0000")).digest("hex");
}
