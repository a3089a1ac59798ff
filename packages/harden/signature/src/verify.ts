import type { Registry } from "@bulwark/image";
import { fieldOf, isRecord, recordsOf, stringOf } from "@bulwark/manifests";
import { errorText } from "@bulwark/model";
import { toSignedEntity, type SignedEntity } from "@sigstore/verify";
import { findCandidates, type Candidate } from "./candidates.ts";
import type { Trust } from "./trust.ts";

/** A statement about the image that an authority has signed. */
export interface Attestation {
  readonly authority: string;
  /** `https://slsa.dev/provenance/v1`, `https://cosign.sigstore.dev/attestation/vuln/v1`, … */
  readonly predicateType: string;
  readonly predicate: unknown;
}

export interface Verified {
  /** Authorities that have signed this very image. */
  readonly signatures: readonly { readonly authority: string }[];
  readonly attestations: readonly Attestation[];
  /** What was looked for, where, and what was found instead: lines for whoever is refused. */
  readonly account: readonly string[];
}

const statementType = "application/vnd.in-toto+json";
/** A signature in the form of an attestation, as newer cosign writes it. */
const signType = "https://sigstore.dev/cosign/sign/v1";

/** Holds everything beside an image against authorities. Raises `ImageError` where the registry does not answer. */
export async function verifyImage(registry: Registry, digest: string, trusted: readonly Trust[]): Promise<Verified> {
  const { candidates, looked, broken } = await findCandidates(registry, digest);
  const signatures = new Set<string>();
  const attestations: Attestation[] = [];
  const refused: string[] = [...broken];
  for (const candidate of candidates) {
    const { place } = candidate;
    let said: Said;
    let entity: SignedEntity;
    try {
      said = sayingOf(candidate, digest);
      entity = toSignedEntity(candidate.bundle, candidate.artifact);
    } catch (error) {
      refused.push(`${place}: ${errorText(error)}`);
      continue;
    }
    const reasons: string[] = [];
    for (const trust of trusted) {
      try {
        trust.verify(entity);
        if (said.kind === "signature") signatures.add(trust.name);
        else attestations.push({ authority: trust.name, predicateType: said.predicateType, predicate: said.predicate });
      } catch (error) {
        reasons.push(`not of ${trust.title}: ${errorText(error)}`);
      }
    }
    if (reasons.length === trusted.length) refused.push(`${place}: ${reasons.join("; ")}`);
  }
  const account = [
    `looked for ${trusted.map(({ title }) => title).join(", ") || "nobody"} in ${looked.join(", ")}`,
    candidates.length === 0 && broken.length === 0 ? "found nothing" : `found ${candidates.length}`,
    ...refused.slice(0, 8),
  ];
  return { signatures: [...signatures].map((authority) => ({ authority })), attestations, account };
}

type Said = { kind: "signature" } | { kind: "attestation"; predicateType: string; predicate: unknown };

/** What it says, and that it says so of this image. Raises with the reason. */
function sayingOf({ bundle, artifact }: Candidate, digest: string): Said {
  const { content } = bundle;
  if (content.$case === "messageSignature") {
    const named = fieldOf(JSON.parse(artifact.toString("utf8")), "critical", "image", "docker-manifest-digest");
    if (named !== digest) throw new Error(`it signs ${stringOf(named) || "something else"}`);
    return { kind: "signature" };
  }
  const { payload, payloadType } = content.dsseEnvelope;
  if (payloadType !== statementType) throw new Error(`its payload is ${payloadType}`);
  const statement: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
  const hex = digest.slice("sha256:".length);
  const subjects = recordsOf(isRecord(statement) ? statement["subject"] : undefined);
  if (!subjects.some((subject) => fieldOf(subject, "digest", "sha256") === hex))
    throw new Error("it is of another image");
  const predicateType = stringOf(fieldOf(statement, "predicateType"));
  if (predicateType === signType) return { kind: "signature" };
  return { kind: "attestation", predicateType, predicate: fieldOf(statement, "predicate") ?? null };
}
