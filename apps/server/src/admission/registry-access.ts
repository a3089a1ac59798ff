import type { Reference, RegistryOptions } from "@bulwark/image";
import type { StoredRegistry } from "@bulwark/store";
import type { Context } from "../context.ts";
import { hostOf, optionsFor } from "../registries/address.ts";
import { wantsRepository } from "../registries/tags.ts";

/**
 * How the registry of an image is asked: with the credentials and the authority that it was connected with, and with what
 * `server.admission.registries` says. Raises where its credentials cannot be opened: without them the answer would be
 * that there is no such image.
 */
export function createRegistryAccess({
  config,
  store,
  sealing,
}: Pick<Context, "config" | "store" | "sealing">): (reference: Reference) => Promise<RegistryOptions> {
  const { plainHttp = [], authorities = [], mirrors } = config.server.admission?.registries ?? {};
  let connected: StoredRegistry[] = [];

  async function connectionOf({ registry, repository }: Reference): Promise<StoredRegistry | undefined> {
    // Without the database images are judged as before.
    connected = await store.registries.list().catch(() => connected);
    const here = connected.filter(({ settings }) => hostOf(settings) === registry);
    return here.find(({ settings }) => wantsRepository(settings, repository)) ?? here[0];
  }

  return async (reference) => {
    const configured = { plainHttp: plainHttp.includes(reference.registry), authorities, mirrors };
    const connection = await connectionOf(reference);
    if (!connection) return configured;
    const { credentials, plainHttp: plain, authorities: own = [] } = optionsFor(connection, sealing);
    // Connected without any: those of the files of Docker and Podman, as for registries that are not connected.
    const login = credentials ? { credentials } : {};
    return { ...configured, plainHttp: plain, authorities: [...authorities, ...own], ...login };
  };
}
