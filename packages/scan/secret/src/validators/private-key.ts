import { createPrivateKey } from "node:crypto";

/**
 * A private key in PEM that is one: it parses, and opens without a passphrase. OpenSSH's own form (which OpenSSL does
 * not read) and keys of PGP are told by their first bytes.
 */
export function privateKey(pem: string): boolean {
  const text = pem.replaceAll(/\\r|\\n/g, (escape) => (escape === "\\n" ? "\n" : "")).replaceAll(/[ \t\r]+$/gm, "");
  const body = text.replaceAll(/-----[A-Z0-9 ]+-----|^[A-Za-z-]+: .*$|^=.{4}$|\s/gm, "");
  if (text.includes("BEGIN OPENSSH")) return openssh(Buffer.from(body, "base64"));
  if (text.includes("BEGIN PGP")) return pgp(Buffer.from(body, "base64"));
  if (text.includes("ENCRYPTED")) return false;
  const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text)?.[1] ?? "";
  const lines = body.match(/.{1,64}/g)?.join("\n") ?? "";
  try {
    createPrivateKey(`-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`);
    return true;
  } catch {
    return false;
  }
}

/** `openssh-key-v1`, a zero, then the name of the cipher: `none` where there is no passphrase (openssh, PROTOCOL.key). */
function openssh(key: Buffer): boolean {
  const magic = "openssh-key-v1\0";
  if (key.toString("latin1", 0, magic.length) !== magic || key.length < magic.length + 8) return false;
  const length = key.readUInt32BE(magic.length);
  return key.toString("latin1", magic.length + 4, magic.length + 4 + length) === "none";
}

/** A secret-key packet (tag 5), in the old or the new form of RFC 9580, section 4.2. */
function pgp(key: Buffer): boolean {
  const first = key[0] ?? 0;
  return key.length > 64 && ((first & 0xfc) === 0x94 || first === 0xc5);
}
