import type { IncomingMessage } from "node:http";
import { readFile } from "node:fs/promises";
import { errorText } from "@bulwark/model";
import { z } from "zod";
import { digestOf, type ContentStore, type Descriptor, type Platform } from "../content.ts";
import { ImageError } from "../error.ts";
import type { FileTree } from "../image.ts";
import { openFromStore } from "../layers.ts";
import { findCredentials, type Credentials } from "./credentials.ts";
import { RegistryHttp, textOf } from "./http.ts";
import { parseReference, referenceText, type Reference } from "./reference.ts";
import { TokenSource } from "./token.ts";

export interface RegistryOptions {
  platform?: Platform | undefined;
  /** Instead of what the files of Docker and Podman say. */
  credentials?: Credentials | undefined;
  /** Files with certificates in PEM that are trusted beside the public ones. */
  authorities?: string[] | undefined;
  /** Speak without encryption to registries elsewhere than on this machine too. */
  plainHttp?: boolean | undefined;
  /** Addresses that are asked before a registry, by its host: `{"docker.io": ["https://mirror.example"]}`. */
  mirrors?: Record<string, string[]> | undefined;
}

const manifestTypes = [
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
  const authorities = await Promise.all((options.authorities ?? []).map(readAuthority));
  const http = new RegistryHttp(authorities);
  const credentials = options.credentials ?? (await findCredentials(reference.registry, reference.repository));
  const own = new Endpoint(http, addressOf(reference.registry, options.plainHttp === true), reference, credentials);
  const mirrors = (options.mirrors?.[reference.registry] ?? []).map(
    (address) => new Endpoint(http, mirrorAddress(address), reference, undefined),
  );
  return new Repository(http, [...mirrors, own]);
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
  readonly #http: RegistryHttp;
  readonly #base: string;
  readonly #name: string;
  readonly #tokens: TokenSource;

  constructor(http: RegistryHttp, address: string, reference: Reference, credentials: Credentials | undefined) {
    this.#http = http;
    this.#base = `${address}/v2/${reference.repository}`;
    this.#name = referenceText({ ...reference, tag: null, digest: null });
    this.#tokens = new TokenSource(http, reference.repository, credentials);
  }

  async manifest(tagOrDigest: string): Promise<Buffer> {
    const answer = await this.#get(`/manifests/${tagOrDigest}`, { accept: manifestTypes });
    return Buffer.from(await textOf(answer));
  }

  /** Goes on where the line broke. */
  async blob(digest: string): Promise<AsyncIterable<Uint8Array>> {
    const first = await this.#get(`/blobs/${digest}`, {});
    const again = async (from: number): Promise<IncomingMessage> =>
      this.#get(`/blobs/${digest}`, { range: `bytes=${from}-` });
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
        const text = await textOf(await this.#get(path, { accept: manifestTypes }));
        return referrersDocument.parse(JSON.parse(text)).manifests;
      } catch (error) {
        if (!(error instanceof ImageError) || error.code !== "not-found") throw error;
      }
    }
    return [];
  }

  async #get(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
    const url = this.#base + path;
    const known = this.#tokens.header();
    let answer = await this.#http.ask(url, { headers: { ...headers, ...known } });
    if (answer.statusCode === 401) {
      const challenge = answer.headers["www-authenticate"] ?? "";
      answer.destroy();
      const header = await this.#tokens.answerTo(challenge, this.#name);
      answer = await this.#http.ask(url, { headers: { ...headers, ...header } });
    }
    const status = answer.statusCode ?? 0;
    if (status === 200 || status === 206) return answer;
    const text = await textOf(answer).catch(() => "");
    throw failure(status, `${this.#name}${path.replace(/^\/\w+\//, " ")}`, text);
  }
}

const referrersDocument = z.object({
  manifests: z
    .array(
      z.object({
        mediaType: z.string().nullish(),
        artifactType: z.string().nullish(),
        digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
        size: z.number().int().nonnegative(),
        annotations: z.record(z.string(), z.string()).nullish(),
      }),
    )
    .max(10_000),
});

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

function failure(status: number, what: string, body: string): ImageError {
  const said = /"message"\s*:\s*"((?:[^"\\]|\\.){1,300})"/.exec(body)?.[1];
  const because = said === undefined ? `status ${status}` : `${said} (status ${status})`;
  if (status === 404) return new ImageError("not-found", `${what} is not there: ${because}`);
  if (status === 401 || status === 403) {
    return new ImageError("denied", `${what}: ${because}`, {
      remedy:
        "log in with docker login or podman login, and look whether the name is right: registries hide what is not there",
    });
  }
  if (status === 429) {
    return new ImageError("unreachable", `${what}: the registry's limit is reached: ${because}`, {
      remedy: "log in, name a mirror, or come back later",
    });
  }
  return new ImageError("unreachable", `${what}: ${because}`);
}

/** On this machine registries speak without encryption, as for Docker. */
function addressOf(registry: string, plainHttp: boolean): string {
  if (registry === "docker.io") return "https://registry-1.docker.io";
  const host = registry.replace(/:\d+$/, "");
  const here = host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
  return `${plainHttp || here ? "http" : "https"}://${registry}`;
}

function mirrorAddress(address: string): string {
  return (/^https?:\/\//.test(address) ? address : `https://${address}`).replace(/\/$/, "");
}

async function readAuthority(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new ImageError("not-found", `${path}: ${errorText(error)}`, {
      remedy: "name a file with certificates in PEM",
      cause: error,
    });
  }
}
