import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { IdentityError } from "./error.ts";

/**
 * What a person carries to a new node: a secret that the server knows, and the fingerprint of the authority by which the
 * node knows the server. Neither side trusts the network in between.
 */
export interface JoinToken {
  id: string;
  secret: string;
  /** SHA-256 of the authority's certificate. */
  fingerprint: string;
}

export function createJoinToken(fingerprint: string): JoinToken {
  return { id: randomBytes(8).toString("hex"), secret: randomBytes(32).toString("hex"), fingerprint };
}

/** `blwj_<id>_<secret>_<fingerprint><checksum>`; scanners for leaked secrets know it by its checksum. */
export function formatJoinToken({ id, secret, fingerprint }: JoinToken): string {
  const body = `blwj_${id}_${secret}_${fingerprint}`;
  return body + checksum(body);
}

/** Raises `IdentityError` `bad-token`. */
export function parseJoinToken(text: string): JoinToken {
  const match = /^blwj_([0-9a-f]{16})_([0-9a-f]{64})_([0-9a-f]{64})[0-9a-f]{8}$/.exec(text.trim());
  const [whole = "", id = "", secret = "", fingerprint = ""] = match ?? [];
  if (!match || checksum(whole.slice(0, -8)) !== whole.slice(-8)) {
    throw new IdentityError("bad-token", "this is no join token, or a part of it is missing", {
      remedy: "copy the whole line that bulwark join printed",
    });
  }
  return { id, secret, fingerprint };
}

/** What the server keeps. Of 256 random bits, so no slow hash is needed. */
export function hashJoinSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, "0");
}
