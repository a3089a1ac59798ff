import { openRegistry, parseReference, type Reference, type Registry, type RegistryOptions } from "@bulwark/image";
import { fieldOf, isRecord, recordsOf, stringOf } from "@bulwark/manifests";
import type { Vulnerability } from "@bulwark/model";
import { verifyImage, type Trust, type Verified } from "@bulwark/signature";
import { z } from "zod";

/** A weakness as policies see it. */
export const weakness = z.strictObject({
  id: z.string(),
  severity: z.string(),
  package: z.string().default(""),
  fixed: z.boolean().default(false),
  exploited: z.boolean().default(false),
  epss: z.number().default(0),
  /** Since it was published; 0 where that is not known. */
  ageDays: z.number().default(0),
});
type Weakness = z.infer<typeof weakness>;

/** What a scan knows of an image, as policies see it. */
export interface ScanFacts {
  /** False: it has not been scanned. A list that is null was not looked for: null is not empty. */
  readonly known: boolean;
  /** Milliseconds since the epoch; 0 where it is not known. */
  readonly scannedAt: number;
  readonly vulnerabilities: readonly Readonly<Weakness>[] | null;
  readonly secrets: readonly { readonly kind: string; readonly severity: string }[] | null;
  readonly malware: readonly { readonly name: string }[] | null;
  readonly checks: readonly { readonly id: string; readonly severity: string }[] | null;
}

export const notScanned: ScanFacts = {
  ...{ known: false, scannedAt: 0, vulnerabilities: null },
  ...{ secrets: null, malware: null, checks: null },
};

/** A weakness that a scan found, as policies see it. */
export function weaknessOf(one: Vulnerability, now: number): Weakness {
  const published = one.published === null ? Number.NaN : Date.parse(one.published);
  return {
    ...{ id: one.id, severity: one.severity, package: one.package, exploited: one.exploited },
    ...{ fixed: one.fixedVersion !== null, epss: one.epss ?? 0 },
    ageDays: Number.isNaN(published) ? 0 : Math.max(0, Math.floor((now - published) / 86_400_000)),
  };
}

/** Where the facts of images come from. */
export interface ImageSource {
  /** Of one image, opened once; to be closed by whoever asked. */
  open(reference: string): Promise<OpenImage>;
  /** What is known of a digest from scans. */
  report(digest: string, name: string): Promise<ScanFacts>;
}

export interface OpenImage extends AsyncDisposable {
  digest(): Promise<string>;
  verify(digest: string, trusted: readonly Trust[]): Promise<Verified>;
  /** The configuration of the image: of one of its platforms where it has several. `created`: no more than that is needed. */
  config(digest: string, what: "all" | "created"): Promise<Readonly<Record<string, unknown>>>;
}

/** Images as their registries have them. Raises `ImageError`. */
export function registrySource(
  optionsOf: (reference: Reference) => RegistryOptions | Promise<RegistryOptions>,
  report: ImageSource["report"],
): ImageSource {
  return {
    report,
    async open(text) {
      const reference = parseReference(text);
      const registry = await openRegistry(reference, await optionsOf(reference));
      return {
        digest: async () => registry.resolve(reference),
        verify: async (digest, trusted) => verifyImage(registry, digest, trusted),
        config: async (digest) => configOf(registry, digest),
        [Symbol.asyncDispose]: async () => registry[Symbol.asyncDispose](),
      };
    },
  };
}

async function configOf(registry: Registry, digest: string): Promise<Record<string, unknown>> {
  const manifest = await json(await (registry.readManifest?.(digest) ?? registry.readBlob(digest)));
  const platforms = recordsOf(manifest["manifests"]);
  const first =
    platforms.find((one) => fieldOf(one, "platform", "architecture") === "amd64") ??
    platforms.find((one) => fieldOf(one, "platform", "os") === "linux");
  if (first) return configOf(registry, stringOf(first["digest"]));
  return json(await registry.readBlob(stringOf(fieldOf(manifest, "config", "digest"))));
}

const most = 8 * 2 ** 20;

async function json(parts: AsyncIterable<Uint8Array>): Promise<Record<string, unknown>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const part of parts) {
    size += part.length;
    if (size > most) throw new Error("its manifest or configuration is too large");
    chunks.push(part);
  }
  const value: unknown = JSON.parse(Buffer.concat(chunks, size).toString("utf8"));
  if (!isRecord(value)) throw new Error("its manifest or configuration is no object");
  return value;
}
