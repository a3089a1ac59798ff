import { createHash, createPublicKey } from "node:crypto";
import { errorText } from "@bulwark/model";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toTrustMaterial, Verifier, type SignedEntity, type Signer } from "@sigstore/verify";
import { z } from "zod";
import { SignatureError } from "./error.ts";

const text = z.string().min(1).max(2048);

/**
 * Who may sign: the holder of a key, or whoever an identity provider (`issuer`) calls so. The subject is compared whole;
 * an identity without one would be anybody's.
 */
export const signingAuthority = z.union([
  z.strictObject({ name: text, key: z.string().min(1).max(16_384) }),
  z.strictObject({
    name: text,
    keyless: z.strictObject({ issuer: text, subject: text }),
    /** The trust root that its certificates are of, as `trusted_root.json`; nothing is fetched. */
    trustRoot: z.string().min(1).max(1_000_000),
  }),
]);
export type SigningAuthority = z.infer<typeof signingAuthority>;

/** An authority that signatures can be held against. */
export interface Trust {
  readonly name: string;
  /** For messages: `the key release (SHA-256 1f…)`. */
  readonly title: string;
  /** Raises with the reason where it is not theirs. */
  verify(entity: SignedEntity): void;
}

/** Raises `SignatureError`. */
export function readTrust(authority: SigningAuthority): Trust {
  try {
    return "key" in authority ? keyTrust(authority.name, authority.key) : identityTrust(authority);
  } catch (error) {
    throw new SignatureError("bad-trust", `authority ${authority.name}: ${errorText(error)}`, {
      remedy: "give a public key in PEM, or the trusted_root.json of the authority's Sigstore",
      cause: error,
    });
  }
}

function keyTrust(name: string, pem: string): Trust {
  const publicKey = createPublicKey(pem);
  const print = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
  const none = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
  // What the signature says which key it is by is a hint of a stranger: it is held against this one in any case.
  const material = { ...none, publicKey: () => ({ publicKey, validFor: () => true }) };
  const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  return {
    name,
    title: `the key ${name} (SHA-256 ${print.slice(0, 12)}…)`,
    verify(entity) {
      if (entity.key.$case !== "public-key") throw new Error("it is by a certificate, not by a key");
      // Times and log entries are of authorities that a key alone does not name: it is the key that counts.
      verifier.verify({ ...entity, timestamps: [], tlogEntries: [] });
    },
  };
}

function identityTrust({ name, keyless, trustRoot }: Extract<SigningAuthority, { keyless: unknown }>): Trust {
  const { issuer, subject } = keyless;
  const root = TrustedRoot.fromJSON(JSON.parse(trustRoot));
  if (root.certificateAuthorities.length === 0) throw new Error("the trust root has no certificate authority");
  const material = toTrustMaterial(root);
  const verifier = new Verifier(material, {
    // A private Sigstore may have no logs; one that has some must have logged it.
    tlogThreshold: root.tlogs.length > 0 ? 1 : 0,
    ctlogThreshold: root.ctlogs.length > 0 ? 1 : 0,
    // The certificate lived for minutes: without a time from somebody who is trusted nobody knows whether it did then.
    timestampThreshold: 1,
  });
  return {
    name,
    title: `${subject} by ${issuer}`,
    verify(entity) {
      if (entity.key.$case !== "certificate") throw new Error("it is by a key, not by a certificate");
      const { identity }: Signer = verifier.verify(entity);
      if (identity?.extensions?.issuer !== issuer || identity.subjectAlternativeName !== subject) {
        throw new Error(
          `it is by ${identity?.subjectAlternativeName ?? "nobody"} of ${identity?.extensions?.issuer ?? "no issuer"}`,
        );
      }
    },
  };
}
