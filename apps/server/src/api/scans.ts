import { toCycloneDx, toSpdx } from "@bulwark/inventory";
import type { HandlersOf } from "../http/register.ts";
import { found } from "./found.ts";

export const scanHandlers: HandlersOf<"scans"> = {
  async listScans({ query: { cursor, limit, ...filter } }, { store }) {
    return store.scans.list(filter, { cursor, limit });
  },

  async countScans(_call, { store }) {
    return { counts: await store.scans.counts() };
  },

  async getImageSbom({ params, query }, { store, version }) {
    const { name, digest, inventory, scannedAt } = found(await store.images.report(params.id), "image");
    const write = query.format === "spdx" ? toSpdx : toCycloneDx;
    return write({
      subject: { kind: "image", name, digest },
      inventory,
      createdAt: new Date(scannedAt).toISOString(),
      tool: { name: "bulwark", version },
    });
  },
};
