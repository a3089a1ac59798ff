import { openCatalog } from "@bulwark/image";
import { registryPlace, type RegistryImage } from "@bulwark/model";
import type { StoredRegistry } from "@bulwark/store";
import type { Context } from "../context.ts";
import { hostOf, imageOf, optionsFor } from "./address.ts";
import type { Push } from "./pushes.ts";
import { wantsRepository, wantsTag } from "./tags.ts";

/**
 * Lines up the images that were pushed, before all others of registries. How many fit the registry's filters. What a push
 * says is only a hint: the registry itself is asked what the tag leads to.
 */
export async function takePushes(registry: StoredRegistry, pushes: readonly Push[], context: Context): Promise<number> {
  const { store, sealing } = context;
  const { settings, id } = registry;
  const wanted = pushes.filter(
    // What has no tag is a part of an image for several platforms, or will be tagged by another push.
    (push): push is Push & { tag: string } =>
      push.tag !== null && wantsRepository(settings, push.repository) && wantsTag(settings, push.tag),
  );
  const once = new Map(wanted.map((push) => [`${push.repository}:${push.tag}`, push]));
  if (once.size === 0) return 0;
  using catalog = await openCatalog(hostOf(settings), optionsFor(registry, sealing));
  const images: (Omit<RegistryImage, "seenAt"> & { name: string })[] = [];
  for (const { repository, tag } of once.values()) {
    const digest = await catalog.digest(repository, tag);
    images.push({ repository, tag, digest, ...imageOf(settings, { repository, tag, digest }) });
  }
  const now = Date.now();
  await store.registries.see(
    id,
    images.map(({ name: _, ...image }) => image),
    { whole: false },
    now,
  );
  await store.scans.queue(registryPlace(id), images, { pushed: true, again: false }, now);
  return images.length;
}
