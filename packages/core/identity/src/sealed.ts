import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { IdentityError } from "./error.ts";

const prefix = "sealed:1:";
const saltLength = 16;
const ivLength = 12;
const tagLength = 16;

/** `text` in AES-256-GCM under a key from `secret` (HKDF-SHA-256). `purpose` is bound to it: it opens for nothing else. */
export function seal(text: string, secret: string, purpose: string): string {
  const salt = randomBytes(saltLength);
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv("aes-256-gcm", keyOf(secret, salt, purpose), iv);
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return prefix + Buffer.concat([salt, iv, cipher.getAuthTag(), body]).toString("base64");
}

export function isSealed(text: string): boolean {
  return text.startsWith(prefix);
}

/** Raises `IdentityError` `sealed` where the secret, the purpose or the text is not the one. */
export function unseal(sealed: string, secret: string, purpose: string): string {
  const bytes = Buffer.from(sealed.slice(prefix.length), "base64");
  const salt = bytes.subarray(0, saltLength);
  const iv = bytes.subarray(saltLength, saltLength + ivLength);
  const tag = bytes.subarray(saltLength + ivLength, saltLength + ivLength + tagLength);
  try {
    const decipher = createDecipheriv("aes-256-gcm", keyOf(secret, salt, purpose), iv, { authTagLength: tagLength });
    decipher.setAuthTag(tag);
    const body = decipher.update(bytes.subarray(saltLength + ivLength + tagLength));
    return Buffer.concat([body, decipher.final()]).toString("utf8");
  } catch (error) {
    throw new IdentityError("sealed", `${purpose} was encrypted with another key than this one`, {
      remedy: "give every replica the same key (server.keyFile, BULWARK_KEY) that was there when it was made",
      cause: error,
    });
  }
}

function keyOf(secret: string, salt: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, `bulwark ${purpose}`, 32));
}
