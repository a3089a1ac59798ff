import { createHash } from "node:crypto";
import { CelError, compile, formatError, kubernetesEnvironment, type Program } from "@bulwark/cel";
import { parseReference } from "@bulwark/image";
import { readTrust, signingAuthority, type Trust } from "@bulwark/signature";
import { errorText } from "@bulwark/model";
import { z } from "zod";
import { ImagePolicyError } from "./error.ts";

const expression = z.string().min(1).max(16_384);

/**
 * Our own kind. A policy is about the images whose names its patterns take in; every validation must hold of each of them.
 *
 *     apiVersion: bulwark.dev/v1
 *     kind: ImagePolicy
 *     metadata: { name: signed }
 *     spec:
 *       images: ["registry.example.com/**"]
 *       authorities: [{ name: release, key: "-----BEGIN PUBLIC KEY-----…" }]
 *       validations:
 *         - expression: image.signatures.exists(s, s.authority == 'release')
 *           message: is not signed by release
 *       mutateDigest: true
 */
const document = z.looseObject({
  apiVersion: z.literal("bulwark.dev/v1"),
  kind: z.literal("ImagePolicy"),
  metadata: z.looseObject({
    name: z.string().min(1).max(253),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.strictObject({
    /** Patterns over `registry/repository`: `*` within a part, `**` over parts. */
    images: z.array(z.string().min(1).max(512)).min(1).max(100).default(["**"]),
    authorities: z.array(signingAuthority).max(32).default([]),
    validations: z
      .array(z.strictObject({ expression, message: z.string().max(1024).optional() }))
      .max(64)
      .default([]),
    /** At admission the digest that was judged is written behind the tag. */
    mutateDigest: z.boolean().default(false),
  }),
});

/** What of an image a policy has to know; the rest is not fetched. */
interface Needs {
  readonly signatures: boolean;
  readonly config: boolean;
  /** When it was made, which its configuration says too. */
  readonly age: boolean;
  readonly report: boolean;
}

export interface ImagePolicy {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly mutateDigest: boolean;
  readonly trusted: readonly Trust[];
  readonly needs: Needs;
  readonly validations: readonly { readonly program: Program; readonly message: string }[];
  /** SHA-256 of all that the verdict depends on: a verdict of another policy or of other keys is none of this one. */
  readonly hash: string;
  /** Whether it is about such images. Raises `ImageError` where the text names none. */
  covers(reference: string): boolean;
}

const environment = kubernetesEnvironment({ variables: { image: "dyn" } });

/** Reads an ImagePolicy and compiles it. `place` is for messages. Raises `ImagePolicyError`. */
export function readImagePolicy(object: unknown, place = ""): ImagePolicy {
  const parsed = document.safeParse(object);
  const at = place === "" ? "" : `${place}: `;
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${at}ImagePolicy: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "wrong"}`);
  }
  const { metadata, spec } = parsed.data;
  const name = `${at}ImagePolicy ${metadata.name}`;
  const validations = spec.validations.map(({ expression: source, message }, index) => {
    let program: Program;
    try {
      program = compile(source, environment);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      throw invalid(`${name}: spec.validations[${index}].expression: ${formatError(error, source)}`, error);
    }
    const { kind } = program.type;
    if (kind !== "bool" && kind !== "dyn") {
      throw invalid(`${name}: spec.validations[${index}].expression: must be a bool, and is a ${program.type.name}`);
    }
    return { program, message: message ?? `failed expression: ${source.trim()}` };
  });
  let trusted: Trust[];
  try {
    trusted = spec.authorities.map(readTrust);
  } catch (error) {
    throw invalid(`${name}: spec.authorities: ${errorText(error)}`, error);
  }
  const sources = spec.validations.map((one) => one.expression).join("\n");
  const asks = (field: string): boolean => new RegExp(`\\bimage\\s*\\.\\s*\\??${field}\\b`).test(sources);
  const patterns = spec.images.map(patternOf);
  return {
    name: metadata.name,
    annotations: metadata.annotations ?? {},
    mutateDigest: spec.mutateDigest,
    trusted,
    needs: {
      signatures: asks("signatures") || asks("attestations"),
      config: asks("config"),
      age: asks("age"),
      report: asks("report"),
    },
    validations,
    hash: createHash("sha256").update(JSON.stringify(spec)).digest("hex"),
    covers(text) {
      const { registry, repository } = parseReference(text);
      return patterns.some((pattern) => pattern.test(`${registry}/${repository}`));
    },
  };
}

/** Only literal parts and stars: it cannot take long. */
function patternOf(pattern: string): RegExp {
  const parts = pattern
    .split(/(\*\*|\*)/)
    .map((part) => (part === "**" ? ".*" : part === "*" ? "[^/]*" : escape(part)));
  return new RegExp(`^${parts.join("").replaceAll(/(?:\.\*)+/g, ".*")}$`);
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

function invalid(message: string, cause?: unknown): ImagePolicyError {
  return new ImagePolicyError("invalid", message, { remedy: "see docs/policies.md, ImagePolicy", cause });
}
