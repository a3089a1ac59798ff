import { randomUUID } from "node:crypto";
import { errorText, registryPlace, type ConnectedRegistry, type RegistryImage } from "@bulwark/model";
import type { RegistryHook } from "@bulwark/contract";
import type { StoredRegistry } from "@bulwark/store";
import { hashSecret, randomSecret, sameSecret } from "../auth/secrets.ts";
import type { Context } from "../context.ts";
import { ServerError } from "../error.ts";
import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";
import { imageOf } from "../registries/address.ts";
import { pushesOf } from "../registries/pushes.ts";
import { takePushes } from "../registries/take-pushes.ts";
import { audited } from "./audited.ts";
import { found } from "./found.ts";

const mostRegistries = 256;

export const registryHandlers: HandlersOf<"registries"> = {
  async listRegistries(_call, { store }) {
    return { items: (await store.registries.list()).map(shown) };
  },

  async addRegistry(call, context) {
    const { store } = context;
    const { settings, credentials } = call.body;
    if ((await store.registries.list()).length >= mostRegistries) {
      throw new Refusal("conflict", `there are ${mostRegistries} registries already`, { remedy: "remove one of them" });
    }
    const id = randomUUID();
    const token = randomSecret();
    const sealed = credentials === null ? null : sealedBy(context, credentials);
    await store.registries.add({ id, settings, sealed, hookHash: hashSecret(token) }, call.now);
    await audited(context, call, "registry.add", id, { name: settings.name, url: settings.url });
    return { registry: shown(found(await store.registries.get(id), "registry")), hook: hookOf(id, token, context) };
  },

  async getRegistry({ params }, { store }) {
    return shown(found(await store.registries.get(params.id), "registry"));
  },

  async changeRegistry(call, context) {
    const { store } = context;
    const { id } = call.params;
    const { settings, credentials } = call.body;
    const before = found(await store.registries.get(id), "registry");
    // Who may change where it is must not get a password sent there that somebody else has given.
    if (credentials === undefined && before.sealed !== null && settings.url !== before.settings.url) {
      throw new Refusal("invalid", "another address needs its own credentials", {
        remedy: "give user and password again, or null for none",
      });
    }
    const sealed = credentials ? sealedBy(context, credentials) : credentials;
    const change = sealed === undefined ? {} : { sealed };
    await store.registries.change(id, { settings, ...change, nextAt: call.now });
    await audited(context, call, "registry.change", id, { name: settings.name, url: settings.url });
    return shown(found(await store.registries.get(id), "registry"));
  },

  async removeRegistry(call, context) {
    const { id } = call.params;
    if (!(await context.store.registries.remove(id))) found(undefined, "registry");
    await context.store.scans.forget(registryPlace(id));
    await audited(context, call, "registry.remove", id);
  },

  async scanRegistry(call, context) {
    const { store } = context;
    const { id } = call.params;
    const { settings } = found(await store.registries.get(id), "registry");
    await store.registries.change(id, { nextAt: call.now });
    if (call.body.again) {
      for await (const images of pagesOf(id, context)) {
        const again = images.map((image) => imageOf(settings, image));
        await store.scans.queue(registryPlace(id), again, { pushed: false, again: true }, call.now);
      }
    }
    await audited(context, call, "registry.scan", id, call.body);
  },

  async newRegistryHook(call, context) {
    const { id } = call.params;
    const token = randomSecret();
    const isThere = await context.store.registries.change(id, { hookHash: hashSecret(token) });
    if (!isThere) found(undefined, "registry");
    await audited(context, call, "registry.hook", id);
    return hookOf(id, token, context);
  },

  async listRegistryImages({ params, query: { cursor, limit, ...filter } }, { store }) {
    return store.registries.images(params.id, filter, { cursor, limit });
  },

  async takeRegistryHook({ params, body, caller, now }, context) {
    const { store, throttle, logger } = context;
    const keys = [`hook/${caller.address}`];
    const registry = await store.registries.get(params.id);
    if (!registry || !sameSecret(hashSecret(params.token), registry.hookHash)) {
      const wait = throttle.attempt(keys, now);
      if (wait > 0) throw new Refusal("too-many", "too many attempts", { retryAfter: Math.ceil(wait / 1000) });
      throw new Refusal("unauthenticated", "no registry has this address for its webhooks");
    }
    const pushes = pushesOf(body);
    if (!pushes) {
      throw new Refusal("invalid", "this is no webhook of a registry that is known here", {
        remedy: "Harbor, Docker Hub and notifications of the reference implementation are",
      });
    }
    try {
      return { queued: await takePushes(registry, pushes, context) };
    } catch (error) {
      logger.warn({ registry: registry.settings.name, reason: errorText(error) }, "a push could not be taken in");
      // The whole registry is looked at instead.
      await store.registries.change(registry.id, { nextAt: now });
      return { queued: 0 };
    }
  },
};

function shown({ sealed: _, hookHash: __, ...registry }: StoredRegistry): ConnectedRegistry {
  return registry;
}

function sealedBy({ sealing }: Context, credentials: { username: string; password: string }): string {
  try {
    return sealing.seal(credentials);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const { message, remedy } = error;
    throw new Refusal("unavailable", message, remedy === undefined ? {} : { remedy });
  }
}

function hookOf(id: string, token: string, { config }: Context): RegistryHook {
  const base = config.server.url?.replace(/\/$/, "") ?? "https://BULWARK";
  return { url: `${base}/api/v1/registry-hooks/${id}/${token}`, token };
}

async function* pagesOf(id: string, { store }: Context): AsyncGenerator<RegistryImage[]> {
  let cursor: string | undefined;
  do {
    const { items, next } = await store.registries.images(id, {}, { cursor, limit: 500 });
    yield items;
    cursor = next ?? undefined;
  } while (cursor !== undefined);
}
