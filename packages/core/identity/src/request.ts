import { webcrypto } from "node:crypto";
import { algorithm, newKeys, privatePem } from "./keys.ts";
import { Pkcs10CertificateRequest, Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { IdentityError } from "./error.ts";

/** A new private key and a request for a certificate of it (PKCS #10), both in PEM. The key never leaves its owner. */
export async function createRequest(): Promise<{ key: string; request: string }> {
  const keys = await newKeys();
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: "CN=agent",
    keys,
    signingAlgorithm: algorithm,
  });
  return { key: await privatePem(keys), request: request.toString("pem") };
}

/** The public key of a request. That the request is signed with its private key shows that the sender has it. */
export async function readRequest(pem: string): Promise<webcrypto.CryptoKey> {
  try {
    const request = new Pkcs10CertificateRequest(pem);
    const key = (await request.publicKey.export(algorithm, ["verify"])) as webcrypto.CryptoKey;
    if (await request.verify()) return key;
  } catch (error) {
    throw new IdentityError("bad-request", "this is no request for a certificate of a P-256 key", { cause: error });
  }
  throw new IdentityError("bad-request", "the request is not signed with its own key");
}
