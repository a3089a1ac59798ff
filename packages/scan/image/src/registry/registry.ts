import type { IncomingMessage } from "node:http";
import { readFile } from "node:fs/promises";
import { errorText } from "@bulwark/model/plain";
import { digestOf, parseIndex, type ContentStore, type Descriptor, type Platform } from "../content.ts";
import { ImageError } from "../error.ts";
import type { FileTree } from "../image.ts";
import { openFromStore } from "../layers.ts";
import { Asker } from "./asker.ts";
import { findCredentials, type Credentials } from "./credentials.ts";
import { RegistryHttp, textOf } from "./http.ts";
import { parseReference, referenceText, type Reference } from "./reference.ts";

export interface RegistryOptions {
  platform?: Platform | undefined;
  /** Instead of what the files of Docker and Podman say; null for none. */
  credentials?: Credentials | null | undefined;
  /** Files with certificates in PEM, or the certificates themselves, that are trusted beside the public ones. */
  authorities?: string[] | undefined;
  /** Speak without encryption; by default to registries on this machine only. */
  plainHttp?: boolean | undefined;
  /** Addresses that are asked before a registry, by its host: `{"docker.io": ["https://mirror.example"]}`. */
  mirrors?: Record<string, string[]> | undefined;
}

export const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
/** How often a blob whose line broke is asked for again, from where it broke, without a byte in between. */
const resumptions = 5;

/**
 * An image of a registry, by the distribution API. Layers are read when somebody asks for them. Raises `ImageError`.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export async function openRegistryImage(text: string, options: RegistryOptions = {}): Promise<FileTree> {
  const reference = parseReference(text);
  const registry = await openRegistry(reference, options);
  try {
    const digest = await registry.resolve(reference);
    return await openFromStore(registry, { name: text, digest, platform: options.platform });
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
}

/** A repository of a registry. */
export interface Registry extends ContentStore {
  /** The digest that a tag has now. */
  resolve(reference: Pick<Reference, "tag" | "digest">): Promise<string>;
  /** What was attached to a manifest: signatures, attestations, SBOMs. */
  referrers(digest: string, artifactType?: string): Promise<Descriptor[]>;
}

/** A repository to read from; its mirrors are asked first, and passed over where they fail. */
export async function openRegistry(reference: Reference, options: RegistryOptions = {}): Promise<Registry> {
  const http = new RegistryHttp(await authoritiesOf(options));
  const credentials =
    options.credentials === undefined
      ? await findCredentials(reference.registry, reference.repository)
      : (options.credentials ?? undefined);
  const own = new Endpoint(http, addressOf(reference.registry, options.plainHttp), reference, credentials);
  const mirrors = (options.mirrors?.[reference.registry] ?? []).map(async (address) => {
    const url = mirrorAddress(address);
    // What is known of the registry is not for its mirrors: they have names of their own.
    const known =
      options.credentials === undefined ? findCredentials(new URL(url).host, reference.repository) : undefined;
    return new Endpoint(http, url, reference, await known);
  });
  return new Repository(http, [...(await Promise.all(mirrors)), own]);
}

class Repository implements Registry {
  readonly #http: RegistryHttp;
  readonly #endpoints: Endpoint[];
  /** Manifests that were read to learn their digest, so that they are not asked for twice. */
  readonly #manifests = new Map<string, Buffer>();

  constructor(http: RegistryHttp, endpoints: Endpoint[]) {
    this.#http = http;
    this.#endpoints = endpoints;
  }

  async resolve({ tag, digest }: Pick<Reference, "tag" | "digest">): Promise<string> {
    if (digest !== null) return digest;
    const data = await this.#any(async (endpoint) => endpoint.manifest(tag ?? "latest"));
    const found = digestOf(data);
    this.#manifests.set(found, data);
    return found;
  }

  async readManifest(digest: string): Promise<AsyncIterable<Uint8Array>> {
    const data = this.#manifests.get(digest) ?? (await this.#any(async (endpoint) => endpoint.manifest(digest)));
    return (async function* whole() {
      yield data;
    })();
  }

  async readBlob(digest: string): Promise<AsyncIterable<Uint8Array>> {
    return this.#any(async (endpoint) => endpoint.blob(digest));
  }

  async referrers(digest: string, artifactType?: string): Promise<Descriptor[]> {
    return this.#any(async (endpoint) => endpoint.referrers(digest, artifactType));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http[Symbol.dispose]();
  }

  async #any<T>(work: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    for (const endpoint of this.#endpoints.slice(0, -1)) {
      try {
        return await work(endpoint);
      } catch {
        // A mirror is a help: what it has not, the registry itself has.
      }
    }
    const own = this.#endpoints.at(-1);
    if (!own) throw new TypeError("a repository without an address");
    return work(own);
  }
}

/** A repository at one address. */
class Endpoint {
  readonly #asker: Asker;
  readonly #name: string;

  constructor(http: RegistryHttp, address: string, reference: Reference, credentials: Credentials | undefined) {
    const { repository } = reference;
    this.#name = referenceText({ ...reference, tag: null, digest: null });
    const scope = `repository:${repository}:pull`;
    this.#asker = new Asker(http, `${address}/v2/${repository}`, { name: this.#name, scope, credentials });
  }

  async manifest(tagOrDigest: string): Promise<Buffer> {
    const answer = await this.#asker.ask(`/manifests/${tagOrDigest}`, { accept: manifestTypes });
    return Buffer.from(await textOf(answer));
  }

  /** Goes on where the line broke. */
  async blob(digest: string): Promise<AsyncIterable<Uint8Array>> {
    const first = await this.#asker.ask(`/blobs/${digest}`);
    const again = async (from: number): Promise<IncomingMessage> =>
      this.#asker.ask(`/blobs/${digest}`, { range: `bytes=${from}-` });
    return resumed(first, again, `${this.#name}: ${digest}`);
  }

  /** By the API; where the registry has none yet, by the tag that stands for it. */
  async referrers(digest: string, artifactType?: string): Promise<Descriptor[]> {
    const all = await this.#referrers(digest);
    return artifactType === undefined ? all : all.filter((item) => item.artifactType === artifactType);
  }

  async #referrers(digest: string): Promise<Descriptor[]> {
    for (const path of [`/referrers/${digest}`, `/manifests/${digest.replace(":", "-")}`]) {
      try {
        const text = await textOf(await this.#asker.ask(path, { accept: manifestTypes }));
        const manifests = parseIndex(JSON.parse(text));
        if (manifests) return manifests;
        throw new ImageError("broken", `${this.#name}: the referrers of ${digest} are no OCI index`);
      } catch (error) {
        if (!(error instanceof ImageError) || error.code !== "not-found") throw error;
      }
    }
    return [];
  }
}

async function* resumed(
  first: IncomingMessage,
  again: (from: number) => Promise<IncomingMessage>,
  what: string,
): AsyncGenerator<Uint8Array> {
  let answer = first;
  const expected = Number(first.headers["content-length"] ?? Number.NaN);
  let at = 0;
  for (let breaks = 0; ;) {
    let skip = 0;
    let reason: unknown = "the line ended early";
    // A registry that does not know ranges begins anew.
    if (at > 0 && answer.statusCode !== 206) skip = at;
    try {
      for await (const part of answer as AsyncIterable<Buffer>) {
        const fresh = part.subarray(Math.min(skip, part.length));
        skip -= part.length - fresh.length;
        at += fresh.length;
        if (fresh.length > 0) breaks = 0;
        if (fresh.length > 0) yield fresh;
      }
      if (Number.isNaN(expected) || at >= expected) return;
    } catch (error) {
      reason = error;
    } finally {
      answer.destroy();
    }
    if (++breaks > resumptions) throw new ImageError("unreachable", `${what}: ${errorText(reason)}`, { cause: reason });
    answer = await again(at);
  }
}

/** On this machine registries speak without encryption, as for Docker. */
export function addressOf(registry: string, plainHttp: boolean | undefined): string {
  if (registry === "docker.io") return "https://registry-1.docker.io";
  const host = registry.replace(/:\d+$/, "");
  const here = host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
  return `${(plainHttp ?? here) ? "http" : "https"}://${registry}`;
}

function mirrorAddress(address: string): string {
  return (/^https?:\/\//.test(address) ? address : `https://${address}`).replace(/\/$/, "");
}

export async function authoritiesOf({ authorities = [] }: RegistryOptions): Promise<string[]> {
  return Promise.all(authorities.map(readAuthority));
}

async function readAuthority(path: string): Promise<string> {
  if (path.includes("-----BEGIN CERTIFICATE-----")) return path;
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new ImageError("not-found", `${path}: ${errorText(error)}`, {
      remedy: "name a file with certificates in PEM",
      cause: error,
    });
  }
}
