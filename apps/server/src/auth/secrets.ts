import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

/** 256 random bits, fit for URLs, headers and cookies. */
export function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What is kept of a secret of 256 bits. Too long to be guessed, so no slow hash is needed. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Takes the same time wherever the two differ. */
export function sameSecret(left: string, right: string): boolean {
  return timingSafeEqual(createHash("sha256").update(left).digest(), createHash("sha256").update(right).digest());
}

/**
 * A new API token, `blw_<id>_<secret><checksum>`. The checksum lets scanners for leaked secrets tell a token from
 * chance, and lets the server refuse a mistyped one without asking the database.
 */
export function createTokenSecret(): { id: string; text: string } {
  const id = randomBytes(8).toString("hex");
  const body = `blw_${id}_${randomBytes(32).toString("hex")}`;
  return { id, text: body + checksum(body) };
}

export function isTokenSecret(text: string): boolean {
  return /^blw_[0-9a-f]{16}_[0-9a-f]{72}$/.test(text) && checksum(text.slice(0, -8)) === text.slice(-8);
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, "0");
}
