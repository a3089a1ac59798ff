import { connectedRegistry, registryCredentials, registryImage, registrySettings } from "@bulwark/model";
import { z } from "zod";
import { cursor, id, limit, page, text } from "./parts.ts";
import type { Route } from "./route.ts";

/** Where a registry sends its webhooks. The secret is in the address, for not every registry can send it otherwise; it is shown this once. */
const hook = z.object({ url: z.string(), token: z.string() });
export type RegistryHook = z.infer<typeof hook>;

/** Registries whose images are scanned. */
export const registryRoutes = {
  listRegistries: {
    method: "GET",
    path: "/api/v1/registries",
    tag: "registries",
    access: "read",
    summary: "Registries that are connected, without their credentials",
    response: z.object({ items: z.array(connectedRegistry) }),
  },
  addRegistry: {
    method: "POST",
    path: "/api/v1/registries",
    tag: "registries",
    access: "write",
    summary: "Connect a registry; its images are listed and scanned at once",
    body: z.strictObject({ settings: registrySettings, credentials: registryCredentials.nullable().default(null) }),
    response: z.object({ registry: connectedRegistry, hook }),
  },
  getRegistry: {
    method: "GET",
    path: "/api/v1/registries/{id}",
    tag: "registries",
    access: "read",
    summary: "One registry",
    params: id,
    response: connectedRegistry,
  },
  changeRegistry: {
    method: "PUT",
    path: "/api/v1/registries/{id}",
    tag: "registries",
    access: "write",
    summary: "Change a registry; without `credentials` those that are there stay, null takes them away",
    params: id,
    body: z.strictObject({ settings: registrySettings, credentials: registryCredentials.nullable().optional() }),
    response: connectedRegistry,
  },
  removeRegistry: {
    method: "DELETE",
    path: "/api/v1/registries/{id}",
    tag: "registries",
    access: "write",
    summary: "Disconnect a registry; what was found in its images stays as long as assets are kept",
    params: id,
  },
  scanRegistry: {
    method: "POST",
    path: "/api/v1/registries/{id}/scan",
    tag: "registries",
    access: "write",
    summary: "List a registry now and scan what is new; with `again` what was scanned before, too",
    params: id,
    body: z.strictObject({ again: z.boolean().default(false) }),
  },
  newRegistryHook: {
    method: "POST",
    path: "/api/v1/registries/{id}/hook",
    tag: "registries",
    access: "write",
    summary: "A new address for the registry's webhooks; the old one is worth nothing from now on",
    params: id,
    response: hook,
  },
  listRegistryImages: {
    method: "GET",
    path: "/api/v1/registries/{id}/images",
    tag: "registries",
    access: "read",
    summary: "Tags of a registry that fit its filters, and the image that each leads to",
    params: id,
    query: z.strictObject({ q: text, cursor, limit }),
    response: page(registryImage),
  },
  takeRegistryHook: {
    method: "POST",
    path: "/api/v1/registry-hooks/{id}/{token}",
    tag: "registries",
    access: "public",
    summary: "For registries: what was pushed, as Harbor, Docker Hub or the reference implementation say it",
    params: z.object({ id: z.string().max(64), token: z.string().max(256) }),
    body: z.unknown(),
    response: z.object({
      /** Images that were lined up to be scanned. */
      queued: z.number().int(),
    }),
  },
} as const satisfies Record<string, Route>;
