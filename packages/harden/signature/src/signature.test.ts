import assert from "node:assert/strict";
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { before, describe, mock, test } from "node:test";
import { ImageError, type Registry } from "@bulwark/image";
import { attestation, cosignSignature, digestOf, type Attached } from "@bulwark/testkit";
import { crypto as sigstoreCrypto } from "@sigstore/core";
import { initializeCA, initializeCTLog, initializeTSA } from "@sigstore/mock";
import { readTrust, SignatureError, verifyImage, type Trust } from "./index.ts";

const image = Buffer.from('{"schemaVersion":2}');
const subject = { digest: digestOf(image), size: image.length };

/** What lies beside an image, in memory. */
function registryWith(...attached: Attached[]): Registry {
  const blobs = new Map(
    attached.flatMap(({ manifest, blobs: own }) => [manifest, ...own].map((one) => [digestOf(one), one])),
  );
  const tags = new Map(
    attached.flatMap(({ tag, manifest }) => (tag === null ? [] : [[tag, digestOf(manifest)] as const])),
  );
  const read = async (digest: string): Promise<AsyncIterable<Uint8Array>> => {
    const data = blobs.get(digest);
    if (!data) throw new ImageError("not-found", digest);
    return (async function* whole() {
      yield data;
    })();
  };
  return {
    readBlob: read,
    readManifest: read,
    async resolve({ tag, digest }) {
      const found = digest ?? tags.get(tag ?? "");
      if (found === undefined) throw new ImageError("not-found", tag ?? "");
      return found;
    },
    referrers: async (digest) =>
      attached.flatMap(({ manifest }) => {
        const { subject: of, artifactType } = JSON.parse(manifest.toString()) as {
          subject?: { digest: string };
          artifactType?: string;
        };
        return of?.digest === digest ? [{ digest: digestOf(manifest), size: manifest.length, artifactType }] : [];
      }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function keyPair(): { trust: Trust; privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = publicKey.export({ type: "spki", format: "pem" }).toString();
  return { trust: readTrust({ name: "release", key }), privateKey };
}
const provenance = {
  predicateType: "https://slsa.dev/provenance/v1",
  predicate: { buildDefinition: { buildType: "t" } },
};
const signed = { predicateType: "https://sigstore.dev/cosign/sign/v1", predicate: {} };
const by = (key: KeyObject) => ({ sign: (data: Buffer) => sign("sha256", data, key) });

describe("by a key", () => {
  const ours = keyPair();
  const theirs = keyPair();

  test("older tags and newer bundles, signatures and attestations", async () => {
    const registry = registryWith(
      cosignSignature(subject.digest, ours.privateKey),
      await attestation(subject, provenance, by(ours.privateKey)),
    );
    const { signatures, attestations } = await verifyImage(registry, subject.digest, [ours.trust]);
    assert.deepEqual(signatures, [{ authority: "release" }]);
    assert.deepEqual(attestations, [{ authority: "release", ...provenance }]);
    const newer = registryWith(await attestation(subject, signed, by(ours.privateKey)));
    assert.deepEqual((await verifyImage(newer, subject.digest, [ours.trust])).signatures, [{ authority: "release" }]);
  });

  test("nothing there, and another's key: the account says what was looked for and what was found", async () => {
    const none = await verifyImage(registryWith(), subject.digest, [ours.trust]);
    assert.deepEqual(none.signatures, []);
    assert.match(none.account.join("; "), /looked for the key release \(SHA-256 .*\.sig.*; found nothing/);
    const other = await verifyImage(registryWith(cosignSignature(subject.digest, theirs.privateKey)), subject.digest, [
      ours.trust,
    ]);
    assert.deepEqual(other.signatures, []);
    assert.match(
      other.account.join("; "),
      /found 1; tag sha256-\w+\.sig: not of the key release .*signature verification failed/,
    );
  });

  test("a signature of another image, moved here, is none, however well it is signed", async () => {
    const elsewhere = digestOf(Buffer.from("another image"));
    const moved = { ...cosignSignature(elsewhere, ours.privateKey), tag: `${subject.digest.replace(":", "-")}.sig` };
    const { signatures, account } = await verifyImage(registryWith(moved), subject.digest, [ours.trust]);
    assert.deepEqual(signatures, []);
    assert.match(account.join("; "), new RegExp(`it signs ${elsewhere}`));
    const statement = await attestation({ ...subject, digest: elsewhere }, signed, by(ours.privateKey));
    const lies = JSON.parse(statement.manifest.toString()) as { subject: { digest: string } };
    lies.subject.digest = subject.digest;
    const lying = registryWith({ ...statement, manifest: Buffer.from(JSON.stringify(lies)) });
    assert.match((await verifyImage(lying, subject.digest, [ours.trust])).account.join("; "), /it is of another image/);
  });

  test("a registry that gives other bytes, rubbish as a bundle, a registry that is away", async () => {
    const good = cosignSignature(subject.digest, ours.privateKey);
    const registry = registryWith(good);
    const changed: Registry = {
      ...registry,
      readBlob: async () =>
        (async function* other() {
          yield Buffer.from("other bytes");
        })(),
    };
    await assert.rejects(verifyImage(changed, subject.digest, [ours.trust]), /other bytes than sha256/);
    const rubbish = cosignSignature(subject.digest, ours.privateKey, {
      "dev.sigstore.cosign/certificate": "no PEM",
      "dev.sigstore.cosign/bundle": "{",
    });
    const { signatures, account } = await verifyImage(registryWith(rubbish), subject.digest, [ours.trust]);
    assert.deepEqual(signatures, []);
    assert.match(account.join("; "), /no PEM|JSON/);
    const away = { ...registry, referrers: async () => Promise.reject(new ImageError("unreachable", "it is away")) };
    await assert.rejects(verifyImage(away, subject.digest, [ours.trust]), /it is away/);
  });

  test("a key or a trust root that is none is refused by its authority's name", () => {
    for (const authority of [
      { name: "a", key: "no key" },
      { name: "a", keyless: { issuer: "i", subject: "s" }, trustRoot: "{" },
      { name: "a", keyless: { issuer: "i", subject: "s" }, trustRoot: "{}" },
    ]) {
      assert.throws(
        () => readTrust(authority),
        (error) => error instanceof SignatureError && /authority a: /.test(error.message),
      );
    }
  });
});

describe("by an identity, with a trust root and nothing else", () => {
  const issuer = "https://issuer.test";
  const person = "ann@example.com";
  let root = "";
  let certificate: Buffer;
  let key: KeyObject;
  let stamp: (signature: Buffer) => Promise<object>;
  const pair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

  before(async () => {
    const ctlog = await initializeCTLog(pair());
    const ca = await initializeCA(pair(), ctlog);
    const tsa = await initializeTSA(pair());
    const leaf = pair();
    key = leaf.privateKey;
    const issued = await ca.issueCertificate({
      publicKey: leaf.publicKey.export({ type: "spki", format: "der" }),
      subjectAltName: person,
      extensions: [{ oid: "1.3.6.1.4.1.57264.1.1", value: issuer, legacy: true }],
    });
    certificate = Buffer.from(issued.buffer);
    stamp = async (signature) => {
      // sigstore's reader takes three digits behind the second, DER leaves out zeros at the end: one time in ten is refused.
      mock.timers.enable({ apis: ["Date"], now: Math.floor(Date.now() / 1000) * 1000 + 123 });
      const made = await tsa
        .timestamp({
          artifactHash: sigstoreCrypto.digest("sha256", signature),
          ...{ hashAlgorithmOID: "2.16.840.1.101.3.4.2.1", nonce: 7, policyOID: "1.2.3.4", certReq: true },
        })
        .finally(() => mock.timers.reset());
      return {
        certificate: { rawBytes: certificate.toString("base64") },
        timestampVerificationData: {
          rfc3161Timestamps: [{ signedTimestamp: Buffer.from(made.buffer).toString("base64") }],
        },
      };
    };
    const der = (one: ArrayBufferView): object => ({ rawBytes: Buffer.from(one.buffer).toString("base64") });
    const since = { start: new Date(Date.now() - 60_000).toISOString() };
    root = JSON.stringify({
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      certificateAuthorities: [
        { uri: "https://ca.test", certChain: { certificates: [der(ca.rootCertificate)] }, validFor: since },
      ],
      timestampAuthorities: [
        {
          ...{ uri: "https://tsa.test", validFor: since },
          certChain: { certificates: [der(tsa.intCertificate), der(tsa.rootCertificate)] },
        },
      ],
      tlogs: [],
      ctlogs: [
        {
          baseUrl: "https://ct.test",
          hashAlgorithm: "SHA2_256",
          publicKey: {
            rawBytes: ctlog.publicKey.toString("base64"),
            keyDetails: "PKIX_ECDSA_P256_SHA_256",
            validFor: since,
          },
          logId: { keyId: Buffer.from(ctlog.logID.buffer).toString("base64") },
        },
      ],
    });
  });

  const trustOf = (change: Partial<{ issuer: string; subject: string }> = {}): Trust =>
    readTrust({ name: "builds", keyless: { issuer, subject: person, ...change }, trustRoot: root });
  const beside = async (material = stamp): Promise<Registry> =>
    registryWith(await attestation(subject, signed, { sign: (data) => sign("sha256", data, key), material }));

  test("whoever the issuer calls so is taken, another subject, issuer or a part of a name is not", async () => {
    const registry = await beside();
    const found = await verifyImage(registry, subject.digest, [trustOf()]);
    assert.deepEqual(found.signatures, [{ authority: "builds" }], found.account.join("\n"));
    for (const change of [
      { subject: "ann@example.co" },
      { subject: "bob@example.com" },
      { issuer: "https://evil.test" },
    ]) {
      const { signatures, account } = await verifyImage(registry, subject.digest, [trustOf(change)]);
      assert.deepEqual(signatures, []);
      assert.match(account.join("; "), /it is by ann@example\.com of https:\/\/issuer\.test/);
    }
  });

  test("without a time from somebody who is trusted the certificate counts for nothing", async () => {
    const bare = async (): Promise<object> => ({ certificate: { rawBytes: certificate.toString("base64") } });
    const { signatures, account } = await verifyImage(await beside(bare), subject.digest, [trustOf()]);
    assert.deepEqual(signatures, []);
    assert.match(account.join("; "), /expected 1 timestamps, got 0/);
  });
});
