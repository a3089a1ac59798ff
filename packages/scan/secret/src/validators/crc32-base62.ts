import { crc32 } from "node:zlib";
import { base62 } from "./base62.ts";

/**
 * Tokens of GitHub and npm: after `ghp_`, 30 random characters and their CRC-32 in base 62.
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
export function crc32Base62(token: string): boolean {
  const body = token.slice(token.indexOf("_") + 1);
  return base62(crc32(body.slice(0, -6)), 6) === body.slice(-6);
}
