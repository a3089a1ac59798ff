import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { PemConverter } from "@peculiar/x509";

/** ECDSA on P-256 with SHA-256: what every TLS library takes, and quick to make on a small node. */
export const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** PKCS #8 in PEM. */
export async function privatePem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  return PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY");
}

export async function readPrivate(pem: string): Promise<webcrypto.CryptoKey> {
  const [bytes] = PemConverter.decode(pem);
  if (!bytes) throw new TypeError("no PEM");
  return webcrypto.subtle.importKey("pkcs8", bytes, algorithm, true, ["sign"]);
}
