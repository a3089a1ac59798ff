import { openCatalog, type Catalog } from "@bulwark/image";
import { BulwarkError, errorText, type RegistryImage } from "@bulwark/model";
import type { StoredRegistry } from "@bulwark/store";
import { hostOf, imageOf, optionsFor } from "./address.ts";
import type { Sealing } from "./sealing.ts";
import { chooseTags, wantsRepository } from "./tags.ts";

/** Of one registry. What is beyond is said. */
const mostRepositories = 10_000;
const mostTags = 20_000;
const mostImages = 50_000;
const problemsTold = 3;

type Listed = Omit<RegistryImage, "seenAt">;

export interface Looked {
  images: Listed[];
  /** Not all could be listed, and why. Then what is not among the images need not have gone. */
  problems: string[];
}

/** Lists what of a registry is to be scanned. Raises `BulwarkError` where nothing can be listed. */
export async function lookAt(registry: StoredRegistry, sealing: Sealing, signal: AbortSignal): Promise<Looked> {
  const { settings } = registry;
  using catalog = await openCatalog(hostOf(settings), optionsFor(registry, sealing));
  const images: Listed[] = [];
  const problems: string[] = [];
  let failure: unknown;
  const repositories = await repositoriesOf(registry, catalog);
  if (repositories.length >= mostRepositories)
    problems.push(`more than ${mostRepositories} repositories: the rest is not listed`);
  for (const repository of repositories) {
    signal.throwIfAborted();
    if (images.length >= mostImages) {
      problems.push(`more than ${mostImages} images: the rest is not listed`);
      break;
    }
    try {
      for (const tag of chooseTags(settings, await gather(catalog.tags(repository, mostTags)))) {
        signal.throwIfAborted();
        const digest = await catalog.digest(repository, tag);
        images.push({ repository, tag, digest, key: imageOf(settings, { repository, tag, digest }).key });
      }
    } catch (error) {
      if (!(error instanceof BulwarkError)) throw error;
      failure = error;
      problems.push(errorText(error));
    }
  }
  if (images.length === 0 && failure !== undefined) throw failure;
  return { images, problems };
}

/** Named ones as they are; the registry is asked for its list only where there is a pattern. */
async function repositoriesOf({ settings }: StoredRegistry, catalog: Catalog): Promise<string[]> {
  const named = settings.repositories.filter((name) => !name.includes("*"));
  if (named.length === settings.repositories.length) return named;
  const listed = await gather(catalog.repositories(mostRepositories));
  return [...new Set([...named, ...listed.filter((name) => wantsRepository(settings, name))])];
}

async function gather(items: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The problems on one line. */
export function problemText(problems: readonly string[]): string {
  const rest = problems.length - problemsTold;
  return [...problems.slice(0, problemsTold), ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ").slice(0, 1024);
}
