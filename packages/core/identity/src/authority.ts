import { createHash, randomBytes, webcrypto, X509Certificate as NodeCertificate } from "node:crypto";
import { isIP } from "node:net";
import { algorithm, newKeys, privatePem, readPrivate } from "./keys.ts";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  type Extension,
} from "@peculiar/x509";
import { readRequest } from "./request.ts";

/**
 * The name in every server's certificate. Agents ask for it, whatever address they reach the server by: what makes a
 * server theirs is that their authority signed it for this use, not its name in somebody's DNS.
 */
export const serverName = "server.bulwark.internal";

const hour = 3_600_000;
const day = 24 * hour;
/** Certificates begin so long ago, because clocks differ. */
const earlier = hour;
const authorityDays = 10 * 365;

/** Certificate and private key, in PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** What a join token carries: SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** A certificate of its own for one server process: for these names and addresses, and so many days; 90 unless told. */
  issueServer(
    now: number,
    options?: { names?: readonly string[]; days?: number },
  ): Promise<KeyPair & { expiresAt: number }>;
  /**
   * A certificate that lets the holder of the request's key act for `node`. Of the request only the public key is taken.
   * Raises `IdentityError` `bad-request` where it is not signed by that key.
   */
  issueAgent(request: string, agent: { node: string; cluster: string }, days: number, now: number): Promise<Issued>;
}

export interface Issued {
  /** PEM. */
  certificate: string;
  fingerprint: string;
  /** SHA-256 of the public key: the same key asks again after an answer that was lost. */
  publicKey: string;
  expiresAt: number;
}

/** A new authority. It can sign certificates and nothing below it can. `days` are ten years unless told. */
export async function createAuthority(
  now: number,
  { name = "Bulwark agents", days = authorityDays }: { name?: string; days?: number } = {},
): Promise<KeyPair> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: nameOf(`${name} ${randomBytes(4).toString("hex")}`),
    keys,
    serialNumber: serial(),
    notBefore: new Date(now - earlier),
    notAfter: new Date(now + days * day),
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: await privatePem(keys) };
}

export async function openAuthority(pair: KeyPair): Promise<Authority> {
  const own = new X509Certificate(pair.certificate);
  const signingKey = await readPrivate(pair.key);
  const issuerId = await AuthorityKeyIdentifierExtension.create(own);

  async function issue(
    publicKey: webcrypto.CryptoKey,
    subject: Name,
    usage: ExtendedKeyUsage,
    name: Extension,
    now: number,
    expiresAt: number,
  ): Promise<X509Certificate> {
    return X509CertificateGenerator.create({
      issuer: own.subjectName,
      subject,
      publicKey,
      signingKey,
      serialNumber: serial(),
      notBefore: new Date(now - earlier),
      notAfter: new Date(expiresAt),
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        // An agent's certificate is of no use to a server, and the other way round.
        new ExtendedKeyUsageExtension([usage], true),
        name,
        issuerId,
      ],
    });
  }

  return {
    certificate: pair.certificate,
    fingerprint: fingerprintOf(pair.certificate),
    async issueServer(now, { names = [serverName], days = 90 } = {}) {
      const keys = await newKeys();
      const expiresAt = now + days * day;
      const name = new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
      );
      const certificate = await issue(
        keys.publicKey,
        nameOf(names[0] ?? serverName),
        ExtendedKeyUsage.serverAuth,
        name,
        now,
        expiresAt,
      );
      return { certificate: certificate.toString("pem"), key: await privatePem(keys), expiresAt };
    },
    async issueAgent(request, { node, cluster }, days, now) {
      const publicKey = await readRequest(request);
      const expiresAt = Math.floor((now + days * day) / 1000) * 1000;
      const name = new SubjectAlternativeNameExtension([
        { type: "url", value: `bulwark://${encodeURIComponent(cluster)}/${encodeURIComponent(node)}` },
      ]);
      const subject = nameOf(node, cluster);
      const certificate = await issue(publicKey, subject, ExtendedKeyUsage.clientAuth, name, now, expiresAt);
      const pem = certificate.toString("pem");
      const spki = await webcrypto.subtle.exportKey("spki", publicKey);
      return { certificate: pem, fingerprint: fingerprintOf(pem), publicKey: sha256(new Uint8Array(spki)), expiresAt };
    },
  };
}

/** SHA-256 of a certificate in PEM, as hexadecimal text. */
export function fingerprintOf(certificate: string): string {
  const [bytes] = PemConverter.decode(certificate);
  return sha256(new Uint8Array(bytes ?? new ArrayBuffer()));
}

/** Milliseconds since the epoch at which the certificate ends, and at which the time has come to renew it: half-way. */
export function lifeOf(certificate: string): { expiresAt: number; renewAt: number } {
  const { validFromDate, validToDate } = new NodeCertificate(certificate);
  const from = validFromDate.getTime() + earlier;
  const expiresAt = validToDate.getTime();
  return { expiresAt, renewAt: from + (expiresAt - from) / 2 };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** RFC 5280, 4.1.2.2: positive, at most 20 octets. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

/** RFC 5280 bounds a common name to 64 characters; the whole name of the node is in the alternative name. */
function nameOf(common: string, organization?: string): Name {
  const parts = [{ CN: [{ utf8String: common.slice(0, 64) }] }];
  return new Name(organization === undefined ? parts : [{ O: [{ utf8String: organization.slice(0, 64) }] }, ...parts]);
}
