import { crc32 } from "node:zlib";

/**
 * Tokens of Grafana's service accounts: `glsa_`, 32 characters, `_`, and the CRC-32 of all before that, its lowest byte
 * first, in hexadecimal (grafana, pkg/components/satokengen).
 */
export function crc32Hex(token: string): boolean {
  const end = token.lastIndexOf("_");
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(token.slice(0, end)));
  return sum.toString("hex") === token.slice(end + 1);
}
