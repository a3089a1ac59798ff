import { createHash } from "node:crypto";

/**
 * A credential as it may be shown: the first and last characters, at most four of each and never more than a quarter of
 * it, and a row of stars that does not tell its length. Of a key in PEM, what its first line says it is.
 */
export function mask(credential: string): string {
  const label = /^-----BEGIN [A-Z0-9 ]{1,64}-----/.exec(credential)?.[0];
  if (label !== undefined) return `${label} ********`;
  const shown = Math.min(4, Math.floor(credential.length / 8));
  const ends = [credential.slice(0, shown), credential.slice(credential.length - shown)];
  return ends.map((end) => end.replaceAll(/[^\x21-\x7e]/g, "?")).join("********");
}

/** The same credential of the same kind is known again, without being kept. */
export function fingerprint(kind: string, credential: string): string {
  return createHash("sha256").update(`${kind}\0${credential}`, "latin1").digest("hex");
}
