import { z } from "zod";
import { digestOf } from "../content.ts";
import { ImageError } from "../error.ts";
import { Asker } from "./asker.ts";
import { RegistryHttp, textOf } from "./http.ts";
import { addressOf, authoritiesOf, manifestTypes, type RegistryOptions } from "./registry.ts";

/** What a registry has. */
export interface Catalog extends Disposable {
  /** Names of repositories, as many as `most`. Registries that keep that to themselves raise `ImageError` `denied` or `not-found`. */
  repositories(most: number): AsyncIterable<string>;
  /** Tags of a repository, as many as `most`. */
  tags(repository: string, most: number): AsyncIterable<string>;
  /** What a tag leads to now; not counted as a pull where the registry tells without. */
  digest(repository: string, tag: string): Promise<string>;
}

const pageSize = 500;
const catalogPage = z.object({ repositories: z.array(z.string().max(256)).max(100_000).nullish() });
const tagsPage = z.object({ tags: z.array(z.string().max(128)).max(1_000_000).nullish() });
const digestForm = /^sha256:[0-9a-f]{64}$/;

/**
 * Lists what a registry has, by the distribution API. Every method raises `ImageError`.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
 */
export async function openCatalog(host: string, options: RegistryOptions = {}): Promise<Catalog> {
  const http = new RegistryHttp(await authoritiesOf(options));
  const credentials = options.credentials ?? undefined;
  const address = addressOf(host, options.plainHttp);
  const whole = new Asker(http, address, { name: host, scope: "registry:catalog:*", credentials });
  let last: { repository: string; asker: Asker } | undefined;

  function of(repository: string): Asker {
    if (last?.repository !== repository) {
      const scope = `repository:${repository}:pull`;
      last = { repository, asker: new Asker(http, address, { name: `${host}/${repository}`, scope, credentials }) };
    }
    return last.asker;
  }

  return {
    repositories: (most) =>
      pages(whole, `/v2/_catalog?n=${pageSize}`, most, (page) => catalogPage.parse(page).repositories),
    tags: (repository, most) =>
      pages(of(repository), `/v2/${repository}/tags/list?n=${pageSize}`, most, (page) => tagsPage.parse(page).tags),
    async digest(repository, tag) {
      const path = `/v2/${repository}/manifests/${tag}`;
      const answer = await of(repository).ask(path, { accept: manifestTypes }, "HEAD");
      answer.resume();
      const told = answer.headers["docker-content-digest"];
      if (typeof told === "string" && digestForm.test(told)) return told;
      return digestOf(Buffer.from(await textOf(await of(repository).ask(path, { accept: manifestTypes }))));
    },
    [Symbol.dispose]: () => http[Symbol.dispose](),
  };
}

/** Page after page, as each names the next (RFC 8288); a registry that goes in a circle ends. */
async function* pages(
  asker: Asker,
  first: string,
  most: number,
  read: (page: unknown) => string[] | null | undefined,
): AsyncGenerator<string> {
  let count = 0;
  const seen = new Set<string>();
  for (let path: string | undefined = first; path !== undefined && !seen.has(path);) {
    seen.add(path);
    const answer = await asker.ask(path);
    const { link } = answer.headers;
    for (const name of itemsOf(await textOf(answer), path, read)) {
      if (++count > most) return;
      yield name;
    }
    path = nextOf(Array.isArray(link) ? link[0] : link);
  }
}

function itemsOf(text: string, path: string, read: (page: unknown) => string[] | null | undefined): string[] {
  try {
    return read(JSON.parse(text)) ?? [];
  } catch (error) {
    throw new ImageError("broken", `${path}: the registry answers with no list`, { cause: error });
  }
}

/** Only within the same registry: nobody sends us elsewhere. */
function nextOf(link: string | undefined): string | undefined {
  const target = /<([^>]{1,2048})>\s*;\s*rel="?next"?/i.exec(link ?? "")?.[1];
  if (target === undefined || !URL.canParse(target, "http://registry.invalid")) return undefined;
  const { pathname, search } = new URL(target, "http://registry.invalid");
  return pathname.startsWith("/v2/") ? pathname + search : undefined;
}
