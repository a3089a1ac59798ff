import { createHash, sign, type KeyObject } from "node:crypto";

/** A manifest beside an image in a registry, with what it names; to be pushed by tag, or by its digest where it has none. */
export interface Attached {
  readonly tag: string | null;
  readonly manifest: Buffer;
  readonly blobs: readonly Buffer[];
}

export function digestOf(data: Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** A signature as older cosign keeps it: a tag of the digest, the payload a blob, the signature an annotation. */
export function cosignSignature(digest: string, key: KeyObject, annotations: Record<string, string> = {}): Attached {
  const identity = { "docker-reference": "registry.test/shop/web" };
  const image = { "docker-manifest-digest": digest };
  const critical = { identity, image, type: "cosign container image signature" };
  const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
  const signature = sign("sha256", payload, key).toString("base64");
  const type = "application/vnd.dev.cosign.simplesigning.v1+json";
  const own = { "dev.cosignproject.cosign/signature": signature, ...annotations };
  return attach(`${digest.replace(":", "-")}.sig`, [{ data: payload, type, annotations: own }]);
}

/** A bundle that refers to the image: an in-toto statement of it, in an envelope. */
export function attestation(
  subject: { digest: string; size: number },
  statement: { predicateType: string; predicate: unknown },
  signer: {
    sign(data: Buffer): Buffer;
    /** Its certificate, and times; a key where there is none. */
    material?: (signature: Buffer) => Promise<object>;
  },
): Promise<Attached> {
  return make();

  async function make(): Promise<Attached> {
    const [, sha256] = subject.digest.split(":");
    const body = {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "web", digest: { sha256 } }],
      ...statement,
    };
    const payload = Buffer.from(JSON.stringify(body));
    const payloadType = "application/vnd.in-toto+json";
    const encoded = Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `);
    const signature = signer.sign(Buffer.concat([encoded, payload]));
    const bundle = {
      mediaType: bundleType,
      verificationMaterial: {
        tlogEntries: [],
        ...((await signer.material?.(signature)) ?? { publicKey: { hint: "k" } }),
      },
      dsseEnvelope: {
        ...{ payload: payload.toString("base64"), payloadType },
        signatures: [{ sig: signature.toString("base64"), keyid: "" }],
      },
    };
    const type = "application/vnd.oci.image.manifest.v1+json";
    const data = Buffer.from(JSON.stringify(bundle));
    return attach(null, [{ data, type: bundleType }], { mediaType: type, ...subject });
  }
}

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";

function attach(
  tag: string | null,
  layers: { data: Buffer; type: string; annotations?: Record<string, string> }[],
  subject?: object,
): Attached {
  const config = Buffer.from("{}");
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    ...(subject && { artifactType: bundleType, subject }),
    config: { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(config), size: config.length },
    layers: layers.map(({ data, type, annotations }) => ({
      ...{ mediaType: type, digest: digestOf(data), size: data.length },
      ...(annotations && { annotations }),
    })),
  };
  return { tag, manifest: Buffer.from(JSON.stringify(manifest)), blobs: [config, ...layers.map(({ data }) => data)] };
}
