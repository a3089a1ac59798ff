import { ImageError } from "@bulwark/image";
import { BulwarkError, errorText, registryPlace } from "@bulwark/model";
import type { StoredRegistry } from "@bulwark/store";
import type { Context } from "../context.ts";
import { imageOf } from "../registries/address.ts";
import { lookAt, problemText } from "../registries/look.ts";
import type { TimedJob } from "./job.ts";

/** A registry that could not be listed is asked again after so long, or when it is due if that is earlier. */
const again = 600_000;
const hour = 3_600_000;

/** Lists the registries that are due, and lines up their images. */
export const listRegistries: TimedJob = {
  name: "list-registries",
  once: true,
  every: (limits) => limits.registryPoll,

  async run(context) {
    for (const registry of await context.store.registries.due(Date.now())) {
      if (context.closing.aborted) return;
      await list(registry, context);
    }
  },
};

async function list(registry: StoredRegistry, { store, sealing, closing, logger }: Context): Promise<void> {
  const { id, settings } = registry;
  const begun = Date.now();
  const next = settings.everyHours === null ? null : begun + settings.everyHours * hour;
  try {
    const { images, problems } = await lookAt(registry, sealing, closing);
    const found = images.map((image) => ({ ...image, ...imageOf(settings, image) }));
    const now = Date.now();
    await store.registries.see(id, images, { whole: problems.length === 0 }, now);
    await store.scans.queue(registryPlace(id), found, { pushed: false, again: false }, now);
    const state = problems.length === 0 ? "ok" : "partial";
    await store.registries.listed(id, { state, reason: problemText(problems), remedy: "", nextAt: next }, now);
  } catch (error) {
    if (closing.aborted) return;
    const reason = errorText(error).slice(0, 1024);
    logger.warn({ registry: settings.name, reason }, "a registry could not be listed");
    const nextAt = Math.min(begun + again, next ?? Infinity);
    await store.registries.listed(id, { state: "failed", reason, remedy: remedyFor(error), nextAt }, Date.now());
  }
}

/** Remedies of the command line are not those of a server. */
function remedyFor(error: unknown): string {
  if (error instanceof ImageError && error.code === "denied")
    return "give it a user and a password that may read and list";
  const remedy = error instanceof BulwarkError ? (error.remedy ?? "") : "";
  if (remedy.includes("--ca")) return "give it the certificate of your authority, in PEM";
  return remedy.includes("--plain-http") ? "if it has no encryption, begin its address with http://" : remedy;
}
