import { createHash } from "node:crypto";
import { ImageError, type Registry } from "@bulwark/image";
import { isRecord, recordOf, recordsOf, stringOf } from "@bulwark/manifests";
import { errorText } from "@bulwark/model";
import { bundleFromJSON, type Bundle } from "@sigstore/bundle";

/** Something beside an image that may be a signature or an attestation of it; nobody has looked whether it holds. */
export interface Candidate {
  /** `referrer sha256:…`, `tag sha256-….sig`. */
  readonly place: string;
  readonly bundle: Bundle;
  /** What a message signature is over; empty for an envelope, which carries it. */
  readonly artifact: Buffer;
}

export interface Candidates {
  readonly candidates: readonly Candidate[];
  /** Where was looked, for whoever asks why nothing was found. */
  readonly looked: readonly string[];
  /** What was there and could not be read, one line each. */
  readonly broken: readonly string[];
}

const bundleType = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.[123]\+json|\+json;version=0\.[123])$/;
const simpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json";
const envelopeType = "application/vnd.dsse.envelope.v1+json";
/** Somebody may attach thousands to an image of theirs. */
const most = 64;
const mostBytes = 16 * 2 ** 20;

/**
 * Bundles that refer to the image (OCI referrers), and what older cosign keeps under tags of the digest. Raises
 * `ImageError` where the registry does not answer: not found is another thing than not asked.
 * https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
 */
export async function findCandidates(registry: Registry, digest: string): Promise<Candidates> {
  const found: Candidate[] = [];
  const broken: string[] = [];
  const tag = digest.replace(":", "-");
  const take = (place: string, make: () => Candidate): void => {
    if (found.length >= most) {
      if (broken.length < most) broken.push(`${place}: there are more than ${most}`);
      return;
    }
    try {
      found.push(make());
    } catch (error) {
      broken.push(`${place}: ${errorText(error)}`);
    }
  };

  const referrers = (await registry.referrers(digest)).filter(({ artifactType }) =>
    bundleType.test(artifactType ?? ""),
  );
  for (const { digest: at } of referrers.slice(0, most)) {
    const manifest = await manifestOf(registry, at);
    for (const layer of recordsOf(manifest["layers"])) {
      if (!bundleType.test(stringOf(layer["mediaType"]))) continue;
      const data = await blobOf(registry, stringOf(layer["digest"]));
      take(`referrer ${at}`, () => ({
        place: `referrer ${at}`,
        bundle: bundleFromJSON(JSON.parse(data.toString("utf8"))),
        artifact: Buffer.alloc(0),
      }));
    }
  }
  for (const suffix of ["sig", "att"]) {
    const place = `tag ${tag}.${suffix}`;
    const manifest = await taggedManifest(registry, `${tag}.${suffix}`);
    for (const layer of recordsOf(manifest?.["layers"]).slice(0, most)) {
      const type = layer["mediaType"];
      if (type !== simpleSigning && type !== envelopeType) continue;
      const data = await blobOf(registry, stringOf(layer["digest"]));
      take(place, () => legacy(place, recordOf(layer["annotations"]), type, data));
    }
  }
  const looked = ["bundles that refer to it", `tag ${tag}.sig`, `tag ${tag}.att`];
  return { candidates: found, looked, broken };
}

/** What older cosign writes, as the bundle that newer ones do. */
function legacy(
  place: string,
  annotations: Record<string, unknown>,
  type: typeof simpleSigning | typeof envelopeType,
  data: Buffer,
): Candidate {
  const certificate = stringOf(annotations["dev.sigstore.cosign/certificate"]);
  const log = stringOf(annotations["dev.sigstore.cosign/bundle"]);
  const signer =
    certificate === ""
      ? { publicKey: { hint: "" } }
      : { x509CertificateChain: { certificates: [{ rawBytes: derOf(certificate) }] } };
  const content =
    type === envelopeType
      ? { dsseEnvelope: JSON.parse(data.toString("utf8")) as unknown }
      : {
          messageSignature: {
            messageDigest: { algorithm: "SHA2_256", digest: sha256(data).toString("base64") },
            signature: stringOf(annotations["dev.cosignproject.cosign/signature"]),
          },
        };
  const bundle = bundleFromJSON({
    mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1",
    verificationMaterial: { ...signer, tlogEntries: log === "" ? [] : [logEntry(JSON.parse(log))] },
    ...content,
  });
  return { place, bundle, artifact: type === simpleSigning ? data : Buffer.alloc(0) };
}

/** cosign's `bundle` annotation: what Rekor promised. */
function logEntry(value: unknown): object {
  const { SignedEntryTimestamp: promise, Payload: payload } = recordOf(value);
  const { body, integratedTime, logIndex, logID } = recordOf(payload);
  const { kind, apiVersion } = recordOf(JSON.parse(Buffer.from(stringOf(body), "base64").toString("utf8")));
  return {
    ...{ logIndex: String(logIndex), integratedTime: String(integratedTime), canonicalizedBody: body },
    logId: { keyId: Buffer.from(stringOf(logID), "hex").toString("base64") },
    kindVersion: { kind, version: apiVersion },
    inclusionPromise: { signedEntryTimestamp: promise },
  };
}

function derOf(pem: string): string {
  const body = /-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/.exec(pem)?.[1];
  if (body === undefined) throw new Error("its certificate is no PEM");
  return body.replaceAll(/\s/g, "");
}

async function taggedManifest(registry: Registry, tag: string): Promise<Record<string, unknown> | undefined> {
  try {
    return await manifestOf(registry, await registry.resolve({ tag, digest: null }));
  } catch (error) {
    if (error instanceof ImageError && error.code === "not-found") return undefined;
    throw error;
  }
}

async function manifestOf(registry: Registry, digest: string): Promise<Record<string, unknown>> {
  const data = await read(await (registry.readManifest?.(digest) ?? registry.readBlob(digest)), digest);
  const manifest: unknown = JSON.parse(data.toString("utf8"));
  if (!isRecord(manifest)) throw new ImageError("broken", `${digest} is no manifest`);
  return manifest;
}

async function blobOf(registry: Registry, digest: string): Promise<Buffer> {
  return read(await registry.readBlob(digest), digest);
}

/** Every byte is held against the digest that it was asked by: a registry is not trusted. */
async function read(parts: AsyncIterable<Uint8Array>, digest: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const part of parts) {
    size += part.length;
    if (size > mostBytes) throw new ImageError("broken", `${digest} is larger than ${mostBytes} bytes`);
    chunks.push(part);
  }
  const data = Buffer.concat(chunks, size);
  if (`sha256:${sha256(data).toString("hex")}` !== digest) {
    throw new ImageError("broken", `the registry gave other bytes than ${digest}`);
  }
  return data;
}

function sha256(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}
